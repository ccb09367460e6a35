//! Addresses of databases as people are shown them: so that they can be used again, but without
//! passwords.

/// The options that are shown: they tell which ledger it is and how it is reached. Any other could
/// be a password.
const SHOWN: [&str; 8] =
    ["schema", "sslmode", "sslrootcert", "target_session_attrs", "user", "host", "port", "dbname"];

/// An address as it may be shown. Passwords may hold any character, even where it is not allowed;
/// where it cannot be told what is one, nothing is shown.
pub fn without_password(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let Some((credentials, located)) = rest.rsplit_once('@') else {
        return if is_located(rest) {
            format!("{scheme}://{}", with_shown_options(rest))
        } else {
            format!("{scheme}://..")
        };
    };
    // The `@` may be one of a password among the options.
    if credentials.split_once('?').is_some_and(|(_, options)| options.contains('=')) {
        return format!("{scheme}://..");
    }
    let user = credentials.split(':').next().unwrap_or_default();
    format!("{scheme}://{user}@{}", with_shown_options(located))
}

/// Whether an address without a user begins with hosts and their ports. What follows a `:` and is no
/// port may be a password whose host was forgotten.
fn is_located(rest: &str) -> bool {
    let hosts = rest.split(['/', '?']).next().unwrap_or_default();
    let is_port = |port: &str| port.chars().all(|c| c.is_ascii_digit());
    // Those of version 6 are in brackets, with colons.
    let port = |host: &str| host.rsplit(']').next().unwrap_or_default().to_owned();
    hosts.split(',').all(|host| port(host).split_once(':').is_none_or(|(_, port)| is_port(port)))
}

fn with_shown_options(located: &str) -> String {
    let Some((place, options)) = located.split_once('?') else { return located.to_owned() };
    let shown: Vec<&str> = options.split('&').filter(|option| is_shown(option)).collect();
    if shown.is_empty() { place.to_owned() } else { format!("{place}?{}", shown.join("&")) }
}

fn is_shown(option: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./,%".contains(c);
    option
        .split_once('=')
        .is_some_and(|(name, value)| SHOWN.contains(&name) && value.chars().all(is_plain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_address_is_shown_without_its_password_and_names_the_same_ledger() {
        for (address, shown) in [
            ("postgres://ann:s3cr3t@db:5432/events", "postgres://ann@db:5432/events"),
            ("postgres://ann:a@b@db/events", "postgres://ann@db/events"),
            ("postgres://ann:s3cr3t@db/shop?schema=led", "postgres://ann@db/shop?schema=led"),
            ("postgresql://db/e?user=ann&password=s3cr3t", "postgresql://db/e?user=ann"),
            (
                "postgres://db/e?sslmode=require&password=x&sslrootcert=/ca.pem&schema=led",
                "postgres://db/e?sslmode=require&sslrootcert=/ca.pem&schema=led",
            ),
            ("postgres://db/e?schema=led&options=-cpw%3Dx", "postgres://db/e?schema=led"),
            ("postgres://db:5432/e?password=s3@cr3t", "postgres://.."),
            ("postgres://ann:s3cr3t/db", "postgres://.."),
            ("postgres://[::1]:5432,db:5433/e", "postgres://[::1]:5432,db:5433/e"),
            ("events.db", "events.db"),
        ] {
            assert_eq!(without_password(address), shown);
        }
    }

    proptest! {
        #[test]
        fn no_password_is_ever_shown(password in "[a-z0-9@:/?]{12,20}", tail in "(/[a-m]{0,5})?") {
            let shown = without_password(&format!("postgres://u:{password}@H{tail}"));
            prop_assert_eq!(shown, format!("postgres://u@H{tail}"));
        }

        #[test]
        fn no_password_among_the_options_is_ever_shown(password in "S[A-Z0-9@:/?]{12,20}") {
            let shown = without_password(&format!("postgres://u@h/e?password={password}&schema=s"));
            prop_assert!(!shown.contains(['S', 'A', '0']), "{}", shown);
        }
    }
}
