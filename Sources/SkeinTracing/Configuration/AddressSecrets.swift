// SPDX-License-Identifier: Apache-2.0

extension String {
    /// Without what may be a secret in an address: user and password, which is all up to the last `@` but the scheme, and the
    /// query and fragment. `mark` stands for each of them. In an address that can be sent to, an `@` is no more than part of a path.
    func withoutAddressSecrets(mark: String = "") -> String {
        var text = self
        if let end = text.lastIndex(of: "@"), Endpoint(text, scheme: .http) == nil {
            var start = text.startIndex
            // A `:` in front of `://` belongs to a password.
            if let scheme = text[..<end].firstRange(of: "://"), !text[..<scheme.lowerBound].contains(":") {
                start = scheme.upperBound
            }
            text.replaceSubrange(start...end, with: mark.isEmpty ? "" : "\(mark)@")
        }
        if let end = text.firstIndex(where: { $0 == "?" || $0 == "#" }), text[end...].dropFirst() != "" {
            text.replaceSubrange(end..., with: mark.isEmpty ? "" : "\(text[end])\(mark)")
        }
        return text
    }
}
