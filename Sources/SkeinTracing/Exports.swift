// SPDX-License-Identifier: Apache-2.0
@_exported import SkeinExport
@_exported import SkeinRecording
@_exported import Tracing
