//! A small directory in memory: one naming context, an administrator, a reader, three people, a group.

use directory::{
    authenticate::{Login, LoginName, Verdict},
    bootstrap,
    change::{Act, Change, Target},
    credential::{Params, Secret},
    handle::{Backend, Directory, Options},
    lifecycle::ChangePath,
    random::Random,
    store::verify::verify as findings,
};

pub const BASE: &str = "dc=example,dc=com";
pub const ADMIN_DN: &str = "cn=admin,dc=example,dc=com";
pub const ADMIN_PASSWORD: &[u8] = b"only an administrator knows";
pub const READER_DN: &str = "uid=reader,ou=applications,dc=example,dc=com";
pub const READER_PASSWORD: &[u8] = b"a service account reads";
/// Sees the own entry only.
pub const ADA_DN: &str = "uid=ada,ou=people,dc=example,dc=com";
pub const ADA_PASSWORD: &[u8] = b"difference engines are fine";
pub const GRACE_DN: &str = "uid=grace,ou=people,dc=example,dc=com";
pub const GRACE_PASSWORD: &[u8] = b"compilers are finer still";
/// Must change the password before anything else.
pub const NEW_DN: &str = "uid=newcomer,ou=people,dc=example,dc=com";
pub const NEW_PASSWORD: &[u8] = b"handed over on a slip of paper";

/// Cheap hashes: these tests are not about their price.
fn options() -> Options {
    let mut options = Options::new(Backend::Memory).unwrap();
    options.random = Random::from_seed(7);
    options.hashing = Params::new(64, 1, 1).unwrap();
    options
}

pub async fn directory() -> Directory {
    let directory = Directory::open(options()).unwrap();
    let admin = Secret::from(ADMIN_PASSWORD);
    let making = directory.clone();
    tokio::task::spawn_blocking(move || bootstrap::suffix(&making, BASE)).await.unwrap().unwrap();
    bootstrap::administrator(&directory, ADMIN_DN, admin).await.unwrap();
    bootstrap::reader(&directory, READER_DN, Secret::from(READER_PASSWORD)).await.unwrap();
    for (dn, uid, password) in
        [(ADA_DN, "ada", ADA_PASSWORD), (GRACE_DN, "grace", GRACE_PASSWORD), (NEW_DN, "newcomer", NEW_PASSWORD)]
    {
        person(&directory, dn, uid, password).await;
    }
    // Only an active account can be made to change its password.
    let name = LoginName::Dn(NEW_DN.into());
    let login = Login { name, password: Secret::from(NEW_PASSWORD), change: ChangePath::None };
    let verdict = directory.authenticate(&bootstrap::operator(&directory), login).await;
    assert!(matches!(verdict, Verdict::Admitted(_)), "{verdict:?}");
    act(&directory, NEW_DN, Act::ForceChange).await;
    directory
}

pub async fn person(directory: &Directory, dn: &str, uid: &str, password: &[u8]) {
    let mail = format!("{uid}@example.com");
    let attributes = [
        ("objectClass", "inetOrgPerson"),
        ("uid", uid),
        ("cn", uid),
        ("sn", uid),
        ("mail", mail.as_str()),
        ("telephoneNumber", "+49 30 12345"),
    ];
    let attributes = attributes.iter().map(|(name, value)| (name.as_bytes().to_vec(), vec![value.as_bytes().to_vec()]));
    change(directory, Change::Add { dn: dn.as_bytes().to_vec(), attributes: attributes.collect() }).await;
    let target = Target::Dn(dn.as_bytes().to_vec());
    change(directory, Change::Password { target, old: None, new: Some(Secret::from(password)) }).await;
}

pub async fn act(directory: &Directory, dn: &str, act: Act) {
    change(directory, Change::Account { target: Target::Dn(dn.as_bytes().to_vec()), act }).await;
}

/// As the operator of the machine.
pub async fn change(directory: &Directory, change: Change) {
    let what = format!("{change:?}");
    let result = directory.change(&bootstrap::operator(directory), change).await;
    assert!(result.is_ok(), "{what}: {:?}", result.err());
}

/// Recomputes everything that the store keeps twice.
pub fn verify(directory: &Directory) {
    let snapshot = directory.snapshot().unwrap();
    let findings = findings(&snapshot, directory.schema()).unwrap();
    assert!(findings.is_empty(), "{findings:?}");
}
