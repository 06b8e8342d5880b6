// SPDX-License-Identifier: Apache-2.0
// The kinds of spans by OTLP's numbers. Pure.

export const KIND_NAMES = ["unspecified", "internal", "server", "client", "producer", "consumer"];
