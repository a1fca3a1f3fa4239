//! The pages of the lints, as `check --explain CODE` shows them: the head of each lint's file.

use crate::diagnostic::Code;

macro_rules! pages {
    ($($code:ident $file:literal,)*) => {
        &[$((Code::$code, include_str!(concat!($file, ".rs"))),)*]
    };
}

const PAGES: &[(Code, &str)] = pages! {
    UNKNOWN_HOST "unknown_host",
    UNKNOWN_PORT "unknown_port",
    AMBIGUOUS_PORT "ambiguous_port",
    MISSING_LISTENER_PORT "missing_listener_port",
    UNKNOWN_SUBSET "unknown_subset",
    INEFFECTIVE_SUBSET "ineffective_subset",
    UNUSED_SUBSET "unused_subset",
    SUBSET_SELECTS_NOTHING "subset_selects_nothing",
    UNKNOWN_GATEWAY "unknown_gateway",
    HOST_NOT_SERVED "host_not_served",
    UNBOUND_SERVER "unbound_server",
    HOST_CLAIMED_TWICE "host_claimed_twice",
    SHADOWED_CATCH_ALL "shadowed_catch_all",
    RULE_FOR_UNKNOWN_HOST "rule_for_unknown_host",
    UNVERIFIED_SERVER "unverified_server",
    CREDENTIAL_WITHOUT_EFFECT "credential_without_effect",
    HASH_WITHOUT_PORT "hash_without_port",
    CONFLICTING_GATEWAYS "conflicting_gateways",
    CONFLICTING_SIDECARS "conflicting_sidecars",
    DROPPED_SERVER "dropped_server",
    REFUSED_LISTENER "dropped_server",
    UNKNOWN_FORMAT_COMMAND "unknown_format_command",
    SHARED_CREDENTIAL "shared_credential",
    DOUBLED_SLASH "doubled_slash",
    UNREACHABLE_PREFLIGHT "unreachable_preflight",
    UNFIT_SECTION "section_does_not_fit",
    UNSTICKY_SPLIT "unsticky_split",
    UNOWNED_HOST "host_without_service",
    SKIPPED_TCP_PORT "skipped_tcp_port",
    ODD_MATCH "odd_match",
};

/// The page of a lint, as Markdown: what it does, why that is bad, an example, what to use instead; `None`: the code is not one
/// of a lint.
pub fn page(code: Code) -> Option<String> {
    let (_, source) = PAGES.iter().find(|(own, _)| *own == code)?;
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    let lines = lines.map(|line| line.strip_prefix(' ').unwrap_or(line));
    let mut page = lines.collect::<Vec<_>>().join("\n");
    page.push('\n');
    Some(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lint_has_a_page_that_says_why_and_what_instead() {
        let lints = Code::ALL
            .iter()
            .filter(|code| code.id().starts_with("MR03"));
        for code in lints.filter(|code| **code != Code::LINT_STOPPED) {
            let page = page(*code).unwrap_or_default();
            assert!(page.contains(code.id()), "{code:?} has no page");
            for part in ["**What it does**", "**Why is this bad**"] {
                assert!(page.contains(part), "{code:?}: {part}");
            }
        }
    }
}
