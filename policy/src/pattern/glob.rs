//! Texts with `*` and `?`. Matching compares the parts between the stars, and never goes back further than the last one.

/// A text with wildcards, in ASCII lower case. One piece of memory: policies ask thousands of them in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glob {
    text: Box<str>,
    /// Where the first and the last star stand, in bytes; the length of the text if there is none.
    first_star: usize,
    last_star: usize,
    /// Whether a `?` is in it.
    is_wild: bool,
}

/// Which addresses a glob matches, where a lookup can say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach<'g> {
    /// This one.
    Address(&'g str),
    /// All of this domain.
    Domain(&'g str),
    /// All of every domain below this one.
    Below(&'g str),
}

impl Glob {
    pub(super) fn new(pattern: &str) -> Self {
        let text = pattern.to_ascii_lowercase().into_boxed_str();
        Self {
            first_star: text.find('*').unwrap_or(text.len()),
            last_star: text.rfind('*').unwrap_or(text.len()),
            is_wild: text.contains('?'),
            text,
        }
    }

    pub(super) const fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        let Some(rest) = self.after_start(self.first(), text) else {
            return false;
        };
        let Some(last) = self.last() else {
            return rest.is_empty();
        };
        let Some(between) = self.before_end(last, rest) else {
            return false;
        };
        let in_turn = |rest, part| self.find(part, rest).map(|(_, after)| after);
        self.middle().try_fold(between, in_turn).is_some()
    }

    /// If it matches: what stands before and after its first part that is not empty.
    pub(super) fn around<'t>(&self, text: &'t str) -> Option<(&'t str, &'t str)> {
        if !self.matches(text) {
            return None;
        }
        if !self.first().is_empty() {
            return Some(("", self.after_start(self.first(), text)?));
        }
        if let Some(part) = self.middle().find(|part| !part.is_empty()) {
            return self.find(part, text);
        }
        let last = self.last().filter(|last| !last.is_empty())?;
        Some((self.before_end(last, text)?, ""))
    }

    pub(super) fn spells_out(&self) -> bool {
        self.text.contains(|c| !matches!(c, '*' | '?'))
    }

    pub(super) fn matches_all(&self) -> bool {
        !self.text.is_empty() && self.text.bytes().all(|byte| byte == b'*')
    }

    /// What follows the `@`, or the first dot, of the text behind the last wildcard.
    pub(super) fn fixed_domain(&self) -> Option<&str> {
        let (_, end) = self
            .text
            .rsplit_once(['*', '?'])
            .unwrap_or(("", &self.text));
        let (_, domain) = end.rsplit_once('@').or_else(|| end.split_once('.'))?;
        Some(domain)
    }

    /// What follows the last `@`, without wildcards.
    pub(super) fn exact_domain(&self) -> Option<&str> {
        let (_, domain) = self.text.rsplit_once('@')?;
        (!domain.contains(['*', '?'])).then_some(domain)
    }

    pub(super) fn reach(&self) -> Option<Reach<'_>> {
        if let Some(text) = self.only_text() {
            return Some(Reach::Address(text));
        }
        let is_plain = |domain: &&str| !domain.contains(['*', '?', '@']) && !domain.is_empty();
        let (start, end) = self.text.split_at_checked(1)?;
        if start != "*" {
            return None;
        }
        if let Some(domain) = end.strip_prefix("@*.").or_else(|| end.strip_prefix('.')) {
            return Some(domain).filter(is_plain).map(Reach::Below);
        }
        let domain = end.strip_prefix('@').filter(is_plain)?;
        Some(Reach::Domain(domain))
    }

    /// The one text that it matches, if it has no wildcards.
    pub(super) fn only_text(&self) -> Option<&str> {
        (self.last().is_none() && !self.is_wild).then_some(&self.text)
    }

    /// Whether it matches every text that `narrow` matches: its stars may stand for wildcards of the other, its `?` for
    /// another `?`.
    pub(super) fn covers(&self, narrow: &Self) -> bool {
        // Most patterns of a policy have nothing in common, and their ends say so.
        if !self.is_wild {
            let Some(last) = self.last() else {
                return self.text == narrow.text;
            };
            if !narrow.text.ends_with(last) || !narrow.text.starts_with(self.first()) {
                return false;
            }
        }
        let wide: Vec<char> = self.text.chars().collect();
        let narrow: Vec<char> = narrow.text.chars().collect();
        let (mut at, mut narrow_at) = (0, 0);
        // After a star: where to go on in `wide`, and up to where `narrow` belongs to the star.
        let mut star: Option<(usize, usize)> = None;
        while let Some(&character) = narrow.get(narrow_at) {
            match wide.get(at) {
                Some('*') => {
                    at += 1;
                    star = Some((at, narrow_at));
                }
                Some(&c) if c == character || (c == '?' && character != '*') => {
                    at += 1;
                    narrow_at += 1;
                }
                _ => {
                    let Some((after_star, taken)) = star else {
                        return false;
                    };
                    star = Some((after_star, taken + 1));
                    (at, narrow_at) = (after_star, taken + 1);
                }
            }
        }
        wide.iter().skip(at).all(|&c| c == '*')
    }

    /// What must stand at the start of a text.
    fn first(&self) -> &str {
        self.text.get(..self.first_star).unwrap_or_default()
    }

    /// What must stand between the first star and the last, in this order.
    fn middle(&self) -> impl Iterator<Item = &str> {
        let middle = self.text.get(self.first_star + 1..self.last_star);
        middle.into_iter().flat_map(|middle| middle.split('*'))
    }

    /// What must stand at the end; none if there is no star.
    fn last(&self) -> Option<&str> {
        self.text.get(self.last_star + 1..)
    }

    /// What follows, if `text` starts with `part`.
    fn after_start<'t>(&self, part: &str, text: &'t str) -> Option<&'t str> {
        if !self.is_wild {
            let (start, rest) = text.split_at_checked(part.len())?;
            return start.eq_ignore_ascii_case(part).then_some(rest);
        }
        let mut characters = text.chars();
        let fits = |own: char| characters.next().is_some_and(|c| is_same(own, c));
        part.chars().all(fits).then_some(characters.as_str())
    }

    /// What comes before, if `text` ends with `part`.
    fn before_end<'t>(&self, part: &str, text: &'t str) -> Option<&'t str> {
        if !self.is_wild {
            let start = text.len().checked_sub(part.len())?;
            let (rest, end) = text.split_at_checked(start)?;
            return end.eq_ignore_ascii_case(part).then_some(rest);
        }
        let mut characters = text.chars();
        let fits = |own: char| characters.next_back().is_some_and(|c| is_same(own, c));
        part.chars().rev().all(fits).then_some(characters.as_str())
    }

    /// What comes before and after the first `part` in `text`.
    fn find<'t>(&self, part: &str, text: &'t str) -> Option<(&'t str, &'t str)> {
        let mut start = 0;
        loop {
            let (before, from_here) = text.split_at_checked(start)?;
            if let Some(after) = self.after_start(part, from_here) {
                return Some((before, after));
            }
            start += from_here.chars().next()?.len_utf8();
        }
    }
}

const fn is_same(own: char, character: char) -> bool {
    own == '?' || own.eq_ignore_ascii_case(&character)
}
