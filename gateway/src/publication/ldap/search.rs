//! From a search to its answer: the addresses that a filter names, and their entries.
//!
//! A filter here can only ask for addresses: other attributes are shown, not searched. A filter that names no address asks
//! for everybody, and is refused unless the operator lets people be listed.

use certstore::cms::certificate_bundle;
use certstore::ldap::{Entry, Filter, ResultCode, START_TLS, Scope, Search, entry, search_done};
use policy::address::Address;

use super::super::Office;
use super::super::people::Person;

/// Most entries of one answer.
const MOST_ENTRIES: usize = 100;
/// Most addresses that one filter may name.
const MOST_ADDRESSES: usize = 10;
/// Attributes that hold an address.
const BY_ADDRESS: [&str; 3] = ["mail", "rfc822mailbox", "proxyaddresses"];

/// Whom a filter asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    Everybody,
    These(Vec<Address>),
}

/// All messages of an answer, one after the other.
pub(super) async fn answer(id: u32, search: &Search, office: &Office, offers_tls: bool) -> Vec<u8> {
    if search.base.is_empty() && search.scope == Scope::Base {
        let mut answer = entry(id, &chosen(root(office, offers_tls), search));
        answer.extend(search_done(id, ResultCode::Success, ""));
        return answer;
    }
    let people = match within(search, &office.base) {
        Some(wanted) => find(wanted, office).await,
        None => Err((ResultCode::NoSuchObject, "nothing is below this base")),
    };
    let limit = match usize::try_from(search.size_limit) {
        Ok(limit @ 1..MOST_ENTRIES) => limit,
        Ok(_) | Err(_) => MOST_ENTRIES,
    };
    let mut answer = Vec::new();
    let (code, text) = match people {
        Err(refused) => refused,
        Ok(people) => {
            let is_cut = people.len() > limit;
            for person in people.into_iter().take(limit) {
                answer.extend(entry(id, &chosen(shown(&person, &office.base), search)));
            }
            match is_cut {
                true => (ResultCode::SizeLimitExceeded, "there are more"),
                false => (ResultCode::Success, ""),
            }
        }
    };
    answer.extend(search_done(id, code, text));
    answer
}

async fn find(wanted: Wanted, office: &Office) -> Result<Vec<Person>, (ResultCode, &'static str)> {
    let broken = |_| (ResultCode::Unavailable, "the directory does not work now");
    match wanted {
        Wanted::Everybody if !office.enumeration => Err((
            ResultCode::UnwillingToPerform,
            "search by address, as in (mail=somebody@example.org)",
        )),
        Wanted::Everybody => office.people.all().await.map_err(broken),
        Wanted::These(addresses) if addresses.len() > MOST_ADDRESSES => Err((
            ResultCode::AdminLimitExceeded,
            "too many addresses in one search",
        )),
        Wanted::These(addresses) => {
            let mut people = Vec::new();
            for address in &addresses {
                people.extend(office.people.find(address).await.map_err(broken)?);
            }
            Ok(people)
        }
    }
}

/// Whom a search asks for, by its base and its filter; none if its base is not ours.
fn within(search: &Search, base: &str) -> Option<Wanted> {
    let asked = search.base.trim();
    let by_filter = wanted(&search.filter);
    if asked.is_empty() || asked.eq_ignore_ascii_case(base) {
        // The base itself is nobody.
        let is_base_alone = search.scope == Scope::Base;
        return Some(if is_base_alone {
            Wanted::These(Vec::new())
        } else {
            by_filter
        });
    }
    let above = asked.len().checked_sub(base.len() + 1)?;
    let (name, rest) = asked.split_at_checked(above)?;
    let is_below = rest
        .strip_prefix(',')
        .is_some_and(|rest| rest.eq_ignore_ascii_case(base));
    let (attribute, value) = name.split_once('=')?;
    if !is_below || !attribute.trim().eq_ignore_ascii_case("mail") || search.scope == Scope::One {
        return None;
    }
    let address = Address::parse(&unescaped(value.trim())).ok()?;
    Some(both(Wanted::These(vec![address]), by_filter))
}

/// Whom a filter asks for.
pub(super) fn wanted(filter: &Filter) -> Wanted {
    match filter {
        Filter::And(all) => all.iter().map(wanted).fold(Wanted::Everybody, both),
        Filter::Or(any) => any
            .iter()
            .map(wanted)
            .fold(Wanted::These(Vec::new()), either),
        // Who is not somebody is nearly everybody.
        Filter::Not(inner) => match wanted(inner) {
            Wanted::Everybody => Wanted::These(Vec::new()),
            Wanted::These(_) => Wanted::Everybody,
        },
        Filter::Equal { attribute, value } => equal(attribute, value),
        Filter::Present(_) | Filter::Other => Wanted::Everybody,
    }
}

fn equal(attribute: &str, value: &[u8]) -> Wanted {
    if attribute == "objectclass" {
        return Wanted::Everybody;
    }
    let text = std::str::from_utf8(value).unwrap_or_default();
    let is_proxy = attribute == "proxyaddresses";
    let text = match text.split_once(':') {
        Some((kind, rest)) if is_proxy && kind.eq_ignore_ascii_case("smtp") => rest,
        Some(_) | None => text,
    };
    let is_searched = BY_ADDRESS.contains(&attribute);
    let address = Address::parse(text).ok().filter(|_| is_searched);
    Wanted::These(address.into_iter().collect())
}

fn both(one: Wanted, other: Wanted) -> Wanted {
    match (one, other) {
        (Wanted::Everybody, other) | (other, Wanted::Everybody) => other,
        (Wanted::These(mut these), Wanted::These(those)) => {
            these.retain(|address| those.contains(address));
            Wanted::These(these)
        }
    }
}

fn either(one: Wanted, other: Wanted) -> Wanted {
    match (one, other) {
        (Wanted::Everybody, _) | (_, Wanted::Everybody) => Wanted::Everybody,
        (Wanted::These(mut these), Wanted::These(those)) => {
            for address in those {
                if !these.contains(&address) {
                    these.push(address);
                }
            }
            Wanted::These(these)
        }
    }
}

fn shown(person: &Person, base: &str) -> Entry {
    let address = person.address.canonical();
    let ders: Vec<Vec<u8>> = person
        .certificates
        .iter()
        .map(|certificate| certificate.der().to_vec())
        .collect();
    let borrowed: Vec<&[u8]> = ders.iter().map(Vec::as_slice).collect();
    let bundle = certificate_bundle(&borrowed);
    let text = |text: &str| vec![text.as_bytes().to_vec()];
    let classes = ["top", "person", "organizationalPerson", "inetOrgPerson"];
    Entry {
        name: format!("mail={},{base}", escaped(address)),
        attributes: vec![
            (
                "objectClass".to_owned(),
                classes
                    .iter()
                    .map(|class| class.as_bytes().to_vec())
                    .collect(),
            ),
            ("cn".to_owned(), text(address)),
            ("sn".to_owned(), text(person.address.local_part())),
            ("mail".to_owned(), text(address)),
            (
                "proxyAddresses".to_owned(),
                text(&format!("smtp:{address}")),
            ),
            ("userCertificate;binary".to_owned(), ders),
            ("userSMIMECertificate;binary".to_owned(), vec![bundle]),
        ],
    }
}

/// What this server is (RFC 4512, section 5.1).
fn root(office: &Office, offers_tls: bool) -> Entry {
    let text = |text: &str| vec![text.as_bytes().to_vec()];
    let extensions = if offers_tls {
        text(START_TLS)
    } else {
        Vec::new()
    };
    Entry {
        name: String::new(),
        attributes: vec![
            ("objectClass".to_owned(), text("top")),
            ("namingContexts".to_owned(), text(&office.base)),
            ("supportedLDAPVersion".to_owned(), text("3")),
            ("supportedExtension".to_owned(), extensions),
        ],
    }
}

/// The attributes that a search wants to see (RFC 4511, section 4.5.1.8).
fn chosen(mut entry: Entry, search: &Search) -> Entry {
    let wants_all =
        search.attributes.is_empty() || search.attributes.iter().any(|name| name == "*");
    let bare = |name: &str| {
        name.split(';')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase()
    };
    entry.attributes.retain(|(name, values)| {
        let is_named = search
            .attributes
            .iter()
            .any(|wanted| bare(wanted) == bare(name));
        !values.is_empty() && (wants_all || is_named)
    });
    if search.types_only {
        for (_, values) in &mut entry.attributes {
            values.clear();
        }
    }
    entry
}

/// A value within a distinguished name (RFC 4514, section 2.4).
fn escaped(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for character in value.chars() {
        if "\"+,;<>\\#= ".contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// The other way round; escapes by two digits are not used for what an address has.
fn unescaped(value: &str) -> String {
    let mut characters = value.chars();
    let mut bare = String::with_capacity(value.len());
    while let Some(character) = characters.next() {
        match character {
            '\\' => bare.extend(characters.next()),
            other => bare.push(other),
        }
    }
    bare
}
