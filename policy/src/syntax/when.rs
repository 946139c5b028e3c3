//! `when`: the conditions of a rule, as they are written.

use super::{Written, texts_by_name};
use crate::diagnostic::{Located, Place};
use crate::document::{Table, Texts, Words};
use crate::facts::Direction;
use crate::rule::{Property, SizeRange, TlsKind};

/// One table of conditions; all that are written must hold.
pub(crate) struct When<'s> {
    pub(crate) place: Place<'s>,
    /// The keys that are written.
    pub(crate) keys: Vec<Located<'s, String>>,
    pub(crate) direction: Written<'s, Direction>,
    pub(crate) recipient: Option<Texts<'s>>,
    pub(crate) sender: Option<Texts<'s>>,
    pub(crate) group: Option<Texts<'s>>,
    pub(crate) authenticated: Option<Texts<'s>>,
    pub(crate) client: Option<Texts<'s>>,
    pub(crate) tls: Option<Vec<Located<'s, TlsKind>>>,
    pub(crate) time: Option<Texts<'s>>,
    pub(crate) subject: Option<Texts<'s>>,
    /// Field names and their patterns.
    pub(crate) header: Vec<(Located<'s, String>, Texts<'s>)>,
    pub(crate) size: Written<'s, SizeRange>,
    pub(crate) attachment: Option<Texts<'s>>,
    pub(crate) attachment_type: Option<Texts<'s>>,
    pub(crate) properties: Vec<(Property, bool)>,
    pub(crate) all: Vec<Self>,
    /// None if the key is absent.
    pub(crate) any: Option<Vec<Self>>,
    pub(crate) not: Option<Box<Self>>,
}

impl<'s> When<'s> {
    pub(super) fn read(mut table: Table<'s>) -> Self {
        let property = |table: &mut Table<'s>, (word, property): &(&str, Property)| {
            table
                .boolean(word)
                .map(|written| (*property, written.value))
        };
        let when = Self {
            place: table.place(),
            keys: table.keys(),
            direction: table.word("direction"),
            recipient: table.string_or_list("recipient"),
            sender: table.string_or_list("sender"),
            group: table.string_or_list("group"),
            authenticated: table.string_or_list("authenticated"),
            client: table.string_or_list("client"),
            tls: table.words("tls"),
            time: table.string_or_list("time"),
            subject: table.string_or_list("subject"),
            header: texts_by_name(table.table("header")),
            size: table.parsed("size", str::parse),
            attachment: table.string_or_list("attachment"),
            attachment_type: table.string_or_list("attachment-type"),
            properties: Property::WORDS
                .iter()
                .filter_map(|word| property(&mut table, word))
                .collect(),
            all: Self::read_all(table.tables("all").unwrap_or_default()),
            any: table.tables("any").map(Self::read_all),
            not: table.table("not").map(|table| Box::new(Self::read(table))),
        };
        table.finish();
        when
    }

    fn read_all(tables: Vec<Table<'s>>) -> Vec<Self> {
        tables.into_iter().map(Self::read).collect()
    }

    /// What is written here and in the tables within: keys, the word where it is one of a few, places.
    pub(crate) fn written(&self) -> Vec<(&str, &'static str, Place<'s>)> {
        let keys = self
            .keys
            .iter()
            .map(|key| (key.value.as_str(), "", key.place));
        let kinds = self.tls.iter().flatten();
        let kinds = kinds.map(|kind| ("tls", kind.value.word(), kind.place));
        let inner = self.all.iter().chain(self.any.iter().flatten());
        let inner = inner.chain(self.not.as_deref());
        keys.chain(kinds)
            .chain(inner.flat_map(Self::written))
            .collect()
    }
}
