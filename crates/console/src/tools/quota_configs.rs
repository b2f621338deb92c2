//! `kafka-configs` of users, clients and IP addresses: their quotas (`ConfigCommand.alterQuotaConfigs`,
//! `describeQuotaConfigs`). SCRAM credentials are not made here.

use playground_client::admin::{QuotaAlteration, QuotaEntity, QuotaMatch};
use playground_client::{AdminRequest, AdminResponse, ClientError};

use super::client_driver::{AdminSession, unexpected};
use super::java::{sort_as_grown_hash_map, sort_as_hash_map, string_hash};
use super::kafka_configs::Failure;
use crate::commands::CommandContext;

/// The quotas of users and clients.
const USER_QUOTAS: [&str; 4] = [
    "producer_byte_rate",
    "consumer_byte_rate",
    "request_percentage",
    "controller_mutation_rate",
];
/// The quotas of addresses.
const IP_QUOTAS: [&str; 1] = ["connection_creation_rate"];
const SCRAM_MECHANISMS: [&str; 2] = ["SCRAM-SHA-256", "SCRAM-SHA-512"];

/// Whose quotas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaEntities {
    /// `users`, `clients` or `ips`: one, or the first two together.
    pub kinds: Vec<&'static str>,
    /// Their names, "" for the default.
    pub names: Vec<String>,
}

/// The name of a kind in requests.
fn entity_type(kind: &str) -> &'static str {
    match kind {
        "users" => "user",
        "clients" => "client-id",
        _ => "ip",
    }
}

fn refuse<T>(text: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::Message(text.into()))
}

/// The address, if it is one or this machine's name.
pub fn is_address(text: &str) -> bool {
    text.is_empty() || text == "localhost" || text.parse::<core::net::IpAddr>().is_ok()
}

impl QuotaEntities {
    /// Refuses changes that no quota has, with the tool's texts.
    ///
    /// # Errors
    /// The [`Failure`] to print.
    pub fn check_changes(
        &self,
        added: &[(String, String)],
        deleted: &[String],
    ) -> Result<(), Failure> {
        let is_scram = |name: &str| SCRAM_MECHANISMS.contains(&name);
        let is_quota = |name: &str| USER_QUOTAS.contains(&name);
        let mut added: Vec<&str> = added.iter().map(|(name, _)| name.as_str()).collect();
        sort_as_grown_hash_map(&mut added, |name| string_hash(name));
        let deleted: Vec<&str> = deleted.iter().map(String::as_str).collect();
        if self.kinds.contains(&"ips") {
            let unknown: Vec<&str> = added
                .iter()
                .chain(&deleted)
                .copied()
                .filter(|name| !IP_QUOTAS.contains(name))
                .collect();
            if !unknown.is_empty() {
                return refuse(format!(
                    "Only connection quota configs can be added for 'ips' using --bootstrap-server. Unexpected config names: {}",
                    unknown.join(",")
                ));
            }
            return Ok(());
        }
        let only_quotas = self.kinds.contains(&"clients");
        let unknown = |names: &[&str]| -> Vec<String> {
            names
                .iter()
                .filter(|name| !is_quota(name) && (only_quotas || !is_scram(name)))
                .map(|name| (*name).to_owned())
                .collect()
        };
        let (what, of) = if only_quotas {
            ("quota", "clients")
        } else {
            ("quota and SCRAM credential", "users")
        };
        for (names, verb, collection) in [
            (unknown(&added), "added", "Set"),
            (unknown(&deleted), "deleted", "ArrayBuffer"),
        ] {
            if !names.is_empty() {
                return refuse(format!(
                    "Only {what} configs can be {verb} for '{of}' using --bootstrap-server. Unexpected config names: {collection}({})",
                    names.join(", ")
                ));
            }
        }
        let mut all = added.iter().chain(&deleted);
        if all.clone().any(|name| is_scram(name)) {
            if self.names.iter().any(String::is_empty) {
                return refuse(
                    "The use of --entity-default or --user-defaults is not allowed with User SCRAM Credentials using --bootstrap-server.",
                );
            }
            if all.any(|name| is_quota(name)) {
                return refuse(
                    "Cannot alter both quota and SCRAM credential configs simultaneously for 'users' using --bootstrap-server.",
                );
            }
            return refuse("SCRAM credentials are not supported yet");
        }
        Ok(())
    }

    fn components(&self) -> Result<Vec<(String, QuotaMatch)>, Failure> {
        if self.names.len() > self.kinds.len() {
            return refuse("More entity names specified than entity types");
        }
        let mut names = self.names.iter();
        Ok(self
            .kinds
            .iter()
            .map(|kind| {
                let matched = match names.next() {
                    None => QuotaMatch::Any,
                    Some(name) if name.is_empty() => QuotaMatch::Default,
                    Some(name) => QuotaMatch::Exact(name.clone()),
                };
                (entity_type(kind).to_owned(), matched)
            })
            .collect())
    }

    async fn quotas(
        &self,
        admin: &mut AdminSession,
    ) -> Result<Vec<(QuotaEntity, Vec<(String, f64)>)>, Failure> {
        let request = AdminRequest::DescribeClientQuotas {
            components: self.components()?,
            strict: true,
        };
        match admin.call(request).await? {
            AdminResponse::DescribeClientQuotas(found) => Ok(found),
            _ => Err(unexpected().into()),
        }
    }

    /// Sets and removes quotas.
    ///
    /// # Errors
    /// The [`Failure`] to print.
    pub async fn alter(
        &self,
        added: &[(String, String)],
        deleted: &[String],
        admin: &mut AdminSession,
    ) -> Result<(), Failure> {
        self.check_changes(added, deleted)?;
        if self.names.len() != self.kinds.len() {
            return refuse("Exactly one entity name must be specified for every entity type");
        }
        let old = self
            .quotas(admin)
            .await?
            .into_iter()
            .next()
            .map(|(_, quotas)| quotas)
            .unwrap_or_default();
        let missing: Vec<&str> = deleted
            .iter()
            .map(String::as_str)
            .filter(|name| !old.iter().any(|(key, _)| key == name))
            .collect();
        if !missing.is_empty() {
            return refuse(format!("Invalid config(s): {}", missing.join(",")));
        }
        let mut operations = Vec::new();
        for (name, text) in added {
            let Ok(value) = text.trim().parse::<f64>() else {
                return refuse(format!(
                    "Cannot parse quota configuration value for {name}: {text}"
                ));
            };
            operations.push((name.clone(), Some(value)));
        }
        operations.extend(deleted.iter().map(|name| (name.clone(), None)));
        let entity = self
            .kinds
            .iter()
            .zip(&self.names)
            .map(|(kind, name)| {
                let name = (!name.is_empty()).then(|| name.clone());
                (entity_type(kind).to_owned(), name)
            })
            .collect();
        let request = AdminRequest::AlterClientQuotas {
            alterations: vec![QuotaAlteration { entity, operations }],
            validate_only: false,
        };
        let AdminResponse::AlterClientQuotas(results) = admin.call(request).await? else {
            return Err(unexpected().into());
        };
        Ok(results.into_values().collect::<Result<(), ClientError>>()?)
    }

    /// Prints the quotas of those that match.
    ///
    /// # Errors
    /// The [`Failure`] to print.
    pub async fn describe(
        &self,
        context: &CommandContext,
        admin: &mut AdminSession,
    ) -> Result<(), Failure> {
        let mut lines = String::new();
        for (entity, mut quotas) in self.quotas(admin).await? {
            sort_as_hash_map(&mut quotas, |(name, _)| name);
            let quotas: Vec<String> = quotas
                .iter()
                .map(|(name, value)| format!("{name}={}", double_text(*value)))
                .collect();
            lines.push_str(&format!(
                "Quota configs for {} are {}\n",
                entity_text(&entity),
                quotas.join(", ")
            ));
        }
        context.out(&lines).await;
        Ok(())
    }
}

/// `user-principal 'u', the default client-id`.
fn entity_text(entity: &QuotaEntity) -> String {
    let parts: Vec<String> = [
        ("user", "user-principal"),
        ("client-id", "client-id"),
        ("ip", "ip"),
    ]
    .iter()
    .filter_map(|(kind, word)| {
        let (_, name) = entity.iter().find(|(present, _)| present == kind)?;
        Some(match name {
            Some(name) => format!("{word} '{name}'"),
            None => format!("the default {word}"),
        })
    })
    .collect();
    parts.join(", ")
}

/// `Double.toString`: from 10^7 on, and below 10^-3, with an exponent.
fn double_text(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-3..1e7).contains(&size) {
        return format!("{value:?}");
    }
    let text = format!("{value:E}");
    match text.split_once('E') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0E{exponent}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_printed_as_java_does() {
        for (value, text) in [
            (2048.0, "2048.0"),
            (5.5, "5.5"),
            (1e7, "1.0E7"),
            (10_485_760.0, "1.048576E7"),
            (0.0001, "1.0E-4"),
        ] {
            assert_eq!(double_text(value), text);
        }
    }

    #[test]
    fn what_is_no_quota_is_refused() {
        let of = |kinds: &[&'static str], names: &[&str]| QuotaEntities {
            kinds: kinds.to_vec(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
        };
        let added = |names: &[&str]| -> Vec<(String, String)> {
            names
                .iter()
                .map(|name| ((*name).to_owned(), "1".to_owned()))
                .collect()
        };
        let refused = |text: &str| Err(Failure::Message(text.to_owned()));
        assert_eq!(
            of(&["clients"], &["a"]).check_changes(&added(&["foo", "bar"]), &[]),
            refused(
                "Only quota configs can be added for 'clients' using --bootstrap-server. Unexpected config names: Set(bar, foo)"
            )
        );
        assert_eq!(
            of(&["users"], &["a"]).check_changes(&[], &["foo".to_owned(), "bar".to_owned()]),
            refused(
                "Only quota and SCRAM credential configs can be deleted for 'users' using --bootstrap-server. Unexpected config names: ArrayBuffer(foo, bar)"
            )
        );
        assert_eq!(
            of(&["users"], &[""]).check_changes(&added(&["SCRAM-SHA-256"]), &[]),
            refused(
                "The use of --entity-default or --user-defaults is not allowed with User SCRAM Credentials using --bootstrap-server."
            )
        );
        let fine = of(&["users", "clients"], &["u", ""]);
        assert_eq!(
            fine.check_changes(&added(&["producer_byte_rate"]), &[]),
            Ok(())
        );
    }
}
