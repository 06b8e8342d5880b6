// SPDX-License-Identifier: Apache-2.0
#if Macros
    @_exported import SkeinRecording
    @_exported import Tracing
#endif
