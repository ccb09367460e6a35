use super::*;
use crate::{Plan, Selection, ServiceImage, ServiceOrigin, Work};
use fairway_model::{ReleaseId, config::Service};
use std::sync::Arc;

const ORDERS: &str = "
service: orders
env: { URL: 'postgres://${secret:pw}@db/orders' }
uses:
  db: { image: 'postgres:15', env: { PASSWORD: '${secret:pw}' }, ready: { tcp: 5432 } }
  catalog: { service: catalog }
pipeline:
  image: 'node:18'
  stages:
    test: { uses: [db, catalog], steps: [npm ci, npm test], reports: [junit.xml] }
";
const CATALOG: &str = "
service: catalog
port: 80
uses: { db: { image: 'postgres:15' } }
";

/// All that a key is made of, to be changed piece by piece.
struct Case {
    orders: String,
    catalog: String,
    image: Digest,
    source: TreeDigest,
    artifacts: BTreeMap<StageName, TreeDigest>,
    postgres: Digest,
    catalog_image: Digest,
    mark: SecretMark,
}

impl Case {
    fn new() -> Self {
        Self {
            orders: ORDERS.to_owned(),
            catalog: CATALOG.to_owned(),
            image: Digest::of("node"),
            source: TreeDigest(Digest::of("source")),
            artifacts: BTreeMap::new(),
            postgres: Digest::of("postgres"),
            catalog_image: Digest::of("catalog"),
            mark: SecretMark::Version(1),
        }
    }

    fn key(&self) -> Digest {
        let service = |text: &str| Arc::new(Service::decode("fairway.yaml", text).unwrap());
        let (orders, catalog) = (service(&self.orders), service(&self.catalog));
        let fleet = BTreeMap::from([(catalog.name.clone(), Arc::clone(&catalog))]);
        let plan = Plan::new(&orders, &fleet, &Selection::All).unwrap();
        let Some(Work::Steps(work)) = plan.stages.last().map(|stage| &stage.work) else {
            panic!("the last stage has steps");
        };
        let origin = ServiceOrigin::Release(ReleaseId { service: catalog.name.clone(), number: 1 });
        let name = catalog.name.clone();
        let found = ServiceImage { service: catalog, image: self.catalog_image, origin };
        let closure = Closure::new(&work.root, &BTreeMap::from([(name, found)])).unwrap();
        let images = BTreeMap::from([("postgres:15".parse().unwrap(), self.postgres)]);
        let facts = StepsFacts {
            work,
            image: self.image,
            source: self.source,
            artifacts: &self.artifacts,
            closure: &closure,
            images: &images,
            secret: &|_| self.mark,
        };
        facts.key()
    }

    fn with(change: impl FnOnce(&mut Self)) -> Digest {
        let mut case = Self::new();
        change(&mut case);
        case.key()
    }
}

#[test]
fn a_key_changes_with_all_that_a_result_depends_on() {
    let replace = |text: &mut String, from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        *text = text.replace(from, to);
    };
    let keys = [
        Case::new().key(),
        Case::with(|case| replace(&mut case.orders, "npm test", "npm run test")),
        Case::with(|case| replace(&mut case.orders, "npm ci, npm test", "npm ci; npm test")),
        Case::with(|case| replace(&mut case.orders, "junit.xml", "other.xml")),
        Case::with(|case| replace(&mut case.orders, "@db/orders", "@db/other")),
        Case::with(|case| replace(&mut case.orders, "tcp: 5432", "tcp: 5433")),
        Case::with(|case| replace(&mut case.orders, "PASSWORD", "PASS")),
        Case::with(|case| replace(&mut case.catalog, "port: 80", "port: 81")),
        Case::with(|case| replace(&mut case.catalog, "db:", "base:")),
        Case::with(|case| case.image = Digest::of("node 2")),
        Case::with(|case| case.source = TreeDigest(Digest::of("source 2"))),
        Case::with(|case| {
            let artifacts = TreeDigest(Digest::of("artifacts"));
            case.artifacts.insert("unit".parse().unwrap(), artifacts);
        }),
        Case::with(|case| case.postgres = Digest::of("postgres 2")),
        Case::with(|case| case.catalog_image = Digest::of("catalog 2")),
        Case::with(|case| case.mark = SecretMark::Version(2)),
        Case::with(|case| case.mark = SecretMark::Random),
    ];
    for (index, key) in keys.iter().enumerate() {
        assert!(!keys[..index].contains(key), "change {index} is not seen");
    }
}

#[test]
fn a_key_stays_when_nothing_that_matters_changes() {
    let key = Case::new().key();
    let comment = Case::with(|case| case.orders.push_str("# a comment\n"));
    let timeout = Case::with(|case| {
        case.orders =
            case.orders.replace("uses: [db, catalog]", "uses: [db, catalog], timeout: 5m");
    });
    let route = Case::with(|case| case.catalog.push_str("routes: [{ path: /catalog }]\n"));
    assert_eq!([comment, timeout, route], [key; 3]);
}
