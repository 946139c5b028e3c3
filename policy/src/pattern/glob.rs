//! Texts with `*` and `?`, split at the stars when they are made, so that matching compares and never goes back
//! further than the last star.

/// A text with wildcards, in ASCII lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glob {
    /// What must stand at the start of the text.
    first: Part,
    /// What must stand between the first star and the last, in this order.
    middle: Vec<Part>,
    /// What must stand at the end; none if there is no star, so that the first part is all.
    last: Option<Part>,
}

/// What stands between two stars.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    text: Box<str>,
    /// Whether a `?` is in it.
    is_wild: bool,
}

impl Glob {
    pub(super) fn new(pattern: &str) -> Self {
        let pattern = pattern.to_ascii_lowercase();
        let mut parts = pattern.split('*').map(|text| Part {
            text: text.into(),
            is_wild: text.contains('?'),
        });
        let first = parts.next().unwrap_or_else(|| Part {
            text: "".into(),
            is_wild: false,
        });
        let mut middle: Vec<_> = parts.collect();
        let last = middle.pop();
        Self {
            first,
            middle,
            last,
        }
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        let Some(rest) = self.first.after_start(text) else {
            return false;
        };
        let Some(last) = &self.last else {
            return rest.is_empty();
        };
        let Some(between) = last.before_end(rest) else {
            return false;
        };
        let in_turn = |rest, part: &Part| part.find(rest).map(|(_, after)| after);
        self.middle.iter().try_fold(between, in_turn).is_some()
    }

    /// If it matches: what stands before and after its first part that is not empty.
    pub(super) fn around<'t>(&self, text: &'t str) -> Option<(&'t str, &'t str)> {
        if !self.matches(text) {
            return None;
        }
        if !self.first.text.is_empty() {
            return Some(("", self.first.after_start(text)?));
        }
        if let Some(part) = self.middle.iter().find(|part| !part.text.is_empty()) {
            return part.find(text);
        }
        let last = self.last.as_ref().filter(|last| !last.text.is_empty())?;
        Some((last.before_end(text)?, ""))
    }

    pub(super) fn spells_out(&self) -> bool {
        self.parts().any(|part| part.text.contains(|c| c != '?'))
    }

    pub(super) fn matches_all(&self) -> bool {
        self.last.is_some() && self.parts().all(|part| part.text.is_empty())
    }

    /// The one text that it matches, if it has no wildcards.
    pub(super) fn only_text(&self) -> Option<&str> {
        (self.last.is_none() && !self.first.is_wild).then_some(&self.first.text)
    }

    /// Whether it matches every text that `narrow` matches: its stars may stand for wildcards of the other, its `?` for
    /// another `?`.
    pub(super) fn covers(&self, narrow: &Self) -> bool {
        let (wide, narrow) = (self.characters(), narrow.characters());
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

    fn parts(&self) -> impl Iterator<Item = &Part> {
        std::iter::once(&self.first)
            .chain(&self.middle)
            .chain(&self.last)
    }

    fn characters(&self) -> Vec<char> {
        let parts: Vec<_> = self.parts().map(|part| &*part.text).collect();
        parts.join("*").chars().collect()
    }
}

impl Part {
    /// What follows, if `text` starts with it.
    fn after_start<'t>(&self, text: &'t str) -> Option<&'t str> {
        if !self.is_wild {
            let (start, rest) = text.split_at_checked(self.text.len())?;
            return start.eq_ignore_ascii_case(&self.text).then_some(rest);
        }
        let mut characters = text.chars();
        let fits = |own: char| characters.next().is_some_and(|c| is_same(own, c));
        self.text.chars().all(fits).then_some(characters.as_str())
    }

    /// What comes before, if `text` ends with it.
    fn before_end<'t>(&self, text: &'t str) -> Option<&'t str> {
        if !self.is_wild {
            let start = text.len().checked_sub(self.text.len())?;
            let (rest, end) = text.split_at_checked(start)?;
            return end.eq_ignore_ascii_case(&self.text).then_some(rest);
        }
        let mut characters = text.chars();
        let fits = |own: char| characters.next_back().is_some_and(|c| is_same(own, c));
        self.text
            .chars()
            .rev()
            .all(fits)
            .then_some(characters.as_str())
    }

    /// What comes before and after its first occurrence.
    fn find<'t>(&self, text: &'t str) -> Option<(&'t str, &'t str)> {
        let mut start = 0;
        loop {
            let (before, from_here) = text.split_at_checked(start)?;
            if let Some(after) = self.after_start(from_here) {
                return Some((before, after));
            }
            start += from_here.chars().next()?.len_utf8();
        }
    }
}

const fn is_same(own: char, character: char) -> bool {
    own == '?' || own.eq_ignore_ascii_case(&character)
}
