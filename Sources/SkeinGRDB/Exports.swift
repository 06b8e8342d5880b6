// SPDX-License-Identifier: Apache-2.0
#if GRDB
    @_exported import SkeinRecording
#endif
