// SPDX-License-Identifier: Apache-2.0
#if GRPC
    @_exported import SkeinRecording
#endif
