//! `[delivery]` and `[[route]]`: how mail goes out, and where.

use std::path::Path;
use std::time::Duration;

use super::checked::{DeliveryConfig, Destination, RouteConfig, RouteTls};
use super::read::Reader;

impl Default for DeliveryConfig {
    fn default() -> Self {
        Self {
            concurrency: 50,
            concurrency_per_destination: 20,
            retry_first: Duration::from_secs(60),
            retry_longest: Duration::from_secs(2 * 3600),
            expire: Duration::from_secs(5 * 24 * 3600),
            idle: Duration::from_secs(5),
            timeout: Duration::from_secs(300),
        }
    }
}

/// Reads `[delivery]`; what is absent keeps its default.
pub(super) fn read(section: Option<Reader<'_, '_>>) -> DeliveryConfig {
    let mut delivery = DeliveryConfig::default();
    let Some(mut section) = section else {
        return delivery;
    };
    let table = &mut section.table;
    table.choice_or_later("mode", &[("queue", ())], &["cut-through"]);
    for (key, count) in [
        ("concurrency", &mut delivery.concurrency),
        (
            "concurrency-per-destination",
            &mut delivery.concurrency_per_destination,
        ),
    ] {
        if let Some(given) = table.integer(key, 1..=10_000) {
            *count = usize::try_from(given.value).unwrap_or(usize::MAX);
        }
    }
    for (key, time) in [
        ("retry-first", &mut delivery.retry_first),
        ("retry-longest", &mut delivery.retry_longest),
        ("expire", &mut delivery.expire),
        ("idle", &mut delivery.idle),
        ("timeout", &mut delivery.timeout),
    ] {
        if let Some(given) = table.duration(key) {
            *time = given.value;
        }
    }
    section.table.finish();
    delivery
}

/// Reads all `[[route]]` tables. One that an earlier one hides is a mistake.
pub(super) fn routes(top: &mut Reader<'_, '_>) -> Vec<RouteConfig> {
    let mut routes: Vec<RouteConfig> = Vec::new();
    for section in top.sections("route") {
        let place = section.table.place();
        let Some(route) = route(section) else {
            continue;
        };
        let hides =
            |earlier: &&RouteConfig| earlier.domain == "*" || earlier.domain == route.domain;
        if let Some(earlier) = routes.iter().find(hides) {
            let (domain, earlier) = (&route.domain, &earlier.domain);
            let message = format!(
                "this route for {domain:?} is never taken: the one for {earlier:?} stands above it"
            );
            top.table.error(place, message);
        }
        routes.push(route);
    }
    routes
}

fn route(mut section: Reader<'_, '_>) -> Option<RouteConfig> {
    for key in ["domain", "to"] {
        section.table.require(key);
    }
    let domain = section.table.parsed("domain", domain);
    let folder = section.folder;
    let to = section.table.parsed("to", |text| destination(text, folder));
    let kinds = [
        ("none", RouteTls::None),
        ("opportunistic", RouteTls::Opportunistic),
        ("required", RouteTls::Required),
    ];
    let tls = section
        .table
        .choice_or_later("tls", &kinds, &["dane", "mta-sts"]);
    let user = section.table.string("user");
    if user.is_some() {
        section.table.require("password-file");
    }
    let password_file = section.path("password-file");
    section.table.finish();
    Some(RouteConfig {
        domain: domain?.value,
        to: to?.value,
        tls: tls.map_or(RouteTls::Opportunistic, |tls| tls.value),
        auth: user.map(|user| user.value).zip(password_file),
    })
}

fn domain(text: &str) -> Result<String, &'static str> {
    let bare = text.strip_prefix("*.").unwrap_or(text);
    let is_domain = policy::address::Address::parse(&format!("postmaster@{bare}"));
    match is_domain {
        Ok(address) if text == bare => Ok(address.domain().to_owned()),
        Ok(address) => Ok(format!("*.{}", address.domain())),
        Err(_) if text == "*" => Ok("*".to_owned()),
        Err(_) => Err("a domain is needed: \"*\", \"*.example.org\" or \"example.org\""),
    }
}

fn destination(text: &str, folder: &Path) -> Result<Destination, &'static str> {
    const NEEDED: &str = "host:port is needed, or maildir:FOLDER";
    if let Some(maildir) = text.strip_prefix("maildir:") {
        return Ok(Destination::Maildir(folder.join(maildir)));
    }
    if text == "[mx]" {
        return Err("MX records are not looked up in this version; name a host and a port");
    }
    let (host, port) = text.rsplit_once(':').ok_or(NEEDED)?;
    let port = port.parse().ok().filter(|port| *port != 0).ok_or(NEEDED)?;
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let is_literal = bare.is_some_and(|bare| bare.parse::<std::net::Ipv6Addr>().is_ok());
    let is_name = !host.is_empty()
        && host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
    if is_literal || is_name {
        Ok(Destination::Smtp {
            host: bare.unwrap_or(host).to_owned(),
            port,
        })
    } else {
        Err(NEEDED)
    }
}
