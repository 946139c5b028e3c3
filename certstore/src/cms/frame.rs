//! A CMS structure without its content: what stands before it and what stands behind it, for content that is large and stays
//! where it is.

/// The DER around a content, which is one primitive OCTET STRING.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Everything up to the first byte of the content.
    pub head: Vec<u8>,
    /// Everything behind its last byte.
    pub tail: Vec<u8>,
}

impl Frame {
    /// Length in bytes of the whole structure around a content of `content` bytes.
    #[must_use]
    pub const fn whole_len(&self, content: usize) -> usize {
        self.head.len() + content + self.tail.len()
    }
}
