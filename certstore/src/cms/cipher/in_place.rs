//! A content at the end of a buffer, which is encrypted there: what stands before it is not touched.

/// The end of a buffer. It can grow by a padding.
pub(in crate::cms) struct InPlace<'b> {
    buffer: &'b mut Vec<u8>,
    start: usize,
}

impl<'b> InPlace<'b> {
    /// What is in `buffer` from byte `start` on.
    pub(in crate::cms) const fn new(buffer: &'b mut Vec<u8>, start: usize) -> Self {
        Self { buffer, start }
    }

    /// Its length in bytes.
    pub(in crate::cms) const fn len(&self) -> usize {
        self.buffer.len().saturating_sub(self.start)
    }
}

impl AsMut<[u8]> for InPlace<'_> {
    fn as_mut(&mut self) -> &mut [u8] {
        self.buffer.get_mut(self.start..).unwrap_or_default()
    }
}

/// For the padding of a block cipher: few bytes, for which no buffer need double.
impl<'a> Extend<&'a u8> for InPlace<'_> {
    fn extend<T: IntoIterator<Item = &'a u8>>(&mut self, padding: T) {
        let padding = padding.into_iter();
        self.buffer.reserve_exact(padding.size_hint().0);
        self.buffer.extend(padding);
    }
}
