// SPDX-License-Identifier: Apache-2.0
#if Hummingbird
    @_exported import SkeinRecording
#endif
