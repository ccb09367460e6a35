//! Finds the route of a request: the most specific host first, then the longest path prefix.
//!
//! A tree of segments per host pattern, so the work depends on the request's path and host, not on
//! the number of routes.

use crate::{host::HostPattern, path::PathPrefix, path::segments};
use std::collections::HashMap;

/// The number of a route, in the order in which they were added.
pub(crate) type RouteIndex = usize;

type NodeIndex = usize;

/// What was found for a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) route: RouteIndex,
    /// Where the matched prefix ends in the path as it was written.
    pub(crate) end: usize,
}

#[derive(Debug, Default)]
struct Node {
    route: Option<RouteIndex>,
    children: HashMap<Box<[u8]>, NodeIndex>,
}

/// All routes of a table, arranged for finding.
#[derive(Debug, Default)]
pub(crate) struct Router {
    nodes: Vec<Node>,
    exact: HashMap<Box<str>, NodeIndex>,
    below: HashMap<Box<str>, NodeIndex>,
    any: Option<NodeIndex>,
}

impl Router {
    /// Adds a route; gives back the one that already has this host and prefix, if any.
    pub(crate) fn add(
        &mut self,
        host: Option<&HostPattern>,
        prefix: &PathPrefix,
        route: RouteIndex,
    ) -> Option<RouteIndex> {
        let mut at = self.root(host);
        for segment in prefix.segments() {
            at = self.child(at, segment);
        }
        self.nodes[at].route.replace(route)
    }

    /// Finds the route for a normal host and a checked path.
    pub(crate) fn find(&self, host: &str, path: &str) -> Option<Found> {
        self.exact
            .get(host)
            .and_then(|&root| self.walk(root, path))
            .or_else(|| self.find_below(host, path))
            .or_else(|| self.any.and_then(|root| self.walk(root, path)))
    }

    fn find_below(&self, host: &str, path: &str) -> Option<Found> {
        if self.below.is_empty() {
            return None;
        }
        host.match_indices('.')
            .filter_map(|(dot, _)| self.below.get(&host[dot + 1..]))
            .find_map(|&root| self.walk(root, path))
    }

    fn walk(&self, root: NodeIndex, path: &str) -> Option<Found> {
        let mut node = &self.nodes[root];
        let mut found = node.route.map(|route| Found { route, end: 0 });
        for segment in segments(path) {
            let Some(&child) = node.children.get(&*segment.decoded()) else { break };
            node = &self.nodes[child];
            found = node.route.map(|route| Found { route, end: segment.end }).or(found);
        }
        found
    }

    fn root(&mut self, host: Option<&HostPattern>) -> NodeIndex {
        let known = match host {
            Some(HostPattern::Exact(host)) => self.exact.get(host).copied(),
            Some(HostPattern::Below(domain)) => self.below.get(domain).copied(),
            None => self.any,
        };
        if let Some(root) = known {
            return root;
        }
        let root = self.node();
        match host {
            Some(HostPattern::Exact(host)) => drop(self.exact.insert(host.clone(), root)),
            Some(HostPattern::Below(domain)) => drop(self.below.insert(domain.clone(), root)),
            None => self.any = Some(root),
        }
        root
    }

    fn child(&mut self, parent: NodeIndex, segment: &[u8]) -> NodeIndex {
        if let Some(&child) = self.nodes[parent].children.get(segment) {
            return child;
        }
        let child = self.node();
        self.nodes[parent].children.insert(segment.into(), child);
        child
    }

    fn node(&mut self) -> NodeIndex {
        self.nodes.push(Node::default());
        self.nodes.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{host::normal_host, path};
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    type Rule = (Option<HostPattern>, PathPrefix);

    fn rules(texts: &[&str]) -> Vec<Rule> {
        let parse = |text: &&str| {
            let (host, path) = text.split_at(text.find('/').unwrap());
            let host = (!host.is_empty()).then(|| host.parse().unwrap());
            (host, path.parse().unwrap())
        };
        texts.iter().map(parse).collect()
    }

    fn router(rules: &[Rule]) -> Router {
        let mut router = Router::default();
        for (index, (host, prefix)) in rules.iter().enumerate() {
            router.add(host.as_ref(), prefix, index);
        }
        router
    }

    fn check(texts: &[&str], requests: &[&str], expected: &Expect) {
        let router = router(&rules(texts));
        let lines: Vec<_> = requests
            .iter()
            .map(|request| {
                let (host, path) = request.split_at(request.find('/').unwrap());
                match router.find(host, path) {
                    Some(found) => {
                        format!("{request} -> {} rest `{}`", texts[found.route], &path[found.end..])
                    }
                    None => format!("{request} -> none"),
                }
            })
            .collect();
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn the_longest_prefix_at_a_segment_boundary_wins() {
        check(
            &["/", "/orders", "/orders/v2", "/a%2fb"],
            &[
                "h/",
                "h/x",
                "h/orders",
                "h/orders/",
                "h/orders/1",
                "h/ordersx",
                "h/orders/v2/1",
                "h/orders/v22",
                "h//orders//v2//1",
                "h/%6Frders/1",
                "h/a/b",
                "h/a%2Fb/c",
            ],
            &expect![[r#"
                h/ -> / rest `/`
                h/x -> / rest `/x`
                h/orders -> /orders rest ``
                h/orders/ -> /orders rest `/`
                h/orders/1 -> /orders rest `/1`
                h/ordersx -> / rest `/ordersx`
                h/orders/v2/1 -> /orders/v2 rest `/1`
                h/orders/v22 -> /orders rest `/v22`
                h//orders//v2//1 -> /orders/v2 rest `//1`
                h/%6Frders/1 -> /orders rest `/1`
                h/a/b -> / rest `/a/b`
                h/a%2Fb/c -> /a%2fb rest `/c`"#]],
        );
    }

    #[test]
    fn the_most_specific_host_with_a_matching_path_wins() {
        check(
            &["shop.example/a", "*.shop.example/a", "*.example/", "/b"],
            &[
                "shop.example/a",
                "shop.example/b",
                "x.shop.example/a",
                "x.y.shop.example/a",
                "x.shop.example/b",
                "example/a",
                "example/b",
                "other/b",
            ],
            &expect![[r#"
                shop.example/a -> shop.example/a rest ``
                shop.example/b -> *.example/ rest `/b`
                x.shop.example/a -> *.shop.example/a rest ``
                x.y.shop.example/a -> *.shop.example/a rest ``
                x.shop.example/b -> *.example/ rest `/b`
                example/a -> none
                example/b -> /b rest ``
                other/b -> /b rest ``"#]],
        );
    }

    fn linear(rules: &[Rule], host: &str, path: &str) -> Option<RouteIndex> {
        let given: Vec<_> = segments(path).map(|s| s.decoded().into_owned()).collect();
        let rank = |(pattern, prefix): &Rule| {
            let host_rank = match pattern {
                Some(HostPattern::Exact(exact)) => (&**exact == host).then_some(usize::MAX)?,
                Some(HostPattern::Below(domain)) => {
                    host.ends_with(&format!(".{domain}")).then_some(domain.len())?
                }
                None => 0,
            };
            let wanted = prefix.segments();
            let fits = wanted.len() <= given.len()
                && wanted.iter().zip(&given).all(|(want, have)| **want == have[..]);
            fits.then_some((host_rank, wanted.len()))
        };
        let ranked = rules.iter().enumerate().filter_map(|(i, rule)| Some((rank(rule)?, i)));
        ranked.max().map(|(_, index)| index)
    }

    fn host_text() -> impl Strategy<Value = String> {
        prop::collection::vec("[ab]", 1..4).prop_map(|labels| labels.join("."))
    }

    fn rule() -> impl Strategy<Value = Rule> {
        let host = prop_oneof![
            host_text().prop_map(|h| Some(HostPattern::Exact(h.into()))),
            host_text().prop_map(|h| Some(HostPattern::Below(h.into()))),
            Just(None),
        ];
        let path =
            prop::collection::vec("a|b|ab|%61", 0..4).prop_map(|s| format!("/{}", s.join("/")));
        (host, path.prop_map(|path| path.parse().unwrap()))
    }

    proptest! {
        #[test]
        fn the_router_agrees_with_a_linear_matcher(
            rules in prop::collection::vec(rule(), 0..40),
            requests in prop::collection::vec((host_text(), "(/(a|b|ab|%61|c|)){0,6}"), 1..20),
        ) {
            let router = router(&rules);
            for (host, path) in requests {
                let found = router.find(&host, &path).map(|found| found.route);
                prop_assert_eq!(found, linear(&rules, &host, &path), "{}{}", host, path);
            }
        }

        #[test]
        fn no_host_and_no_path_makes_the_router_panic(host in any::<Vec<u8>>(), path in ".*") {
            let router = router(&rules(&["shop.example/a", "*.example/a", "/", "/a/b"]));
            let is_good = path::check(&path).is_ok();
            if let Some(found) = router.find(&normal_host(&host).unwrap_or("x".into()), &path) {
                prop_assert!(path.is_char_boundary(found.end), "{} {}", path, is_good);
            }
        }
    }
}
