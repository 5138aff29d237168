//! Tenants: a container with people, groups and the roles that hold in it.

use crate::{BASE, Kind, Person, Server};

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its DN.
    pub dn: String,
}

impl Tenant {
    /// The DN of one of its containers.
    pub fn container(&self, name: &str) -> String {
        format!("ou={name},{}", self.dn)
    }

    /// The DN of one of its roles.
    pub fn role(&self, name: &str) -> String {
        format!("cn={name},ou=roles,{}", self.dn)
    }
}

impl Server {
    /// A new tenant with its containers and roles.
    pub async fn tenant(&self, name: &str) -> Tenant {
        let tenant = Tenant { dn: format!("ou={name},{BASE}") };
        let classes = [("objectClass", "organizationalUnit"), ("objectClass", "rollbookTenant"), ("ou", name)];
        self.add(&tenant.dn, &classes).await.unwrap();
        for container in ["people", "groups", "roles"] {
            let classes = [("objectClass", "organizationalUnit"), ("ou", container)];
            self.add(&tenant.container(container), &classes).await.unwrap();
        }
        for role in ["TENANT_ADMIN", "USER_ADMIN", "SCIM_PROVISIONER", "DIRECTORY_READER", "MONITORING", "TENANT_USER"]
        {
            self.add(&tenant.role(role), &[("objectClass", "rollbookRole"), ("cn", role)]).await.unwrap();
        }
        tenant
    }

    /// A person of a tenant who holds a role there; none: only a person.
    pub async fn person_of(&self, tenant: &Tenant, uid: &str, role: Option<&str>) -> Person {
        let person = self.person_in(uid, &tenant.container("people")).await;
        if let Some(role) = role {
            self.grant(&tenant.role(role), &person).await;
        }
        person
    }

    /// Puts a person into a role or group.
    pub async fn grant(&self, role: &str, person: &Person) {
        let reply = self.admin().await.modify(role, &[(Kind::Add, "member", &[&person.dn])]).await;
        assert!(reply.is_good(), "{role}: {reply:?}");
    }
}
