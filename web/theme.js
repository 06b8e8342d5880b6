// SPDX-License-Identifier: Apache-2.0
// Runs before the first paint, as a classic script, so that a chosen theme never flashes the other one.
try {
  const theme = localStorage.getItem("skein.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be forbidden; then the system's theme it is.
}
