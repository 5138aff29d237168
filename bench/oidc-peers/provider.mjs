// npm oidc-provider as an OpenID provider, for bench/oidc-side-by-side: node provider.mjs PORT, with the packages of package.json in
// NODE_MODULES, and leaf.pem and leaf.key in the folder TLS. Prints "ready" when it listens.
//
// As fast as its library lets it be: everything is read from maps, nobody's password is checked (whoever comes to the sign-in page is u0),
// consent is given already. With STORE=FOLDER it keeps what rollbook keeps: a change is on disk (LMDB, the fastest store for Node.js; commits
// are shared by those who wait) before it is acknowledged. Without it everything is in memory alone. Clients whose name ends in -jwt get
// access tokens that are signed (RFC 9068), the others opaque ones: only those can be introspected and shown to userinfo here.
import { createRequire } from "node:module";
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.env.NODE_MODULES}/`);
const { default: Provider } = await import(pathToFileURL(require.resolve("oidc-provider")).href);
const port = Number(process.argv[2]);

const stores = new Map(), grants = new Map(), uids = new Map();
const disk = process.env.STORE ? require("lmdb").open({ path: process.env.STORE }) : undefined;

async function keep(name, id, payload) {
    if (!disk) return;
    if (payload) disk.put(`${name}:${id}`, payload); else disk.remove(`${name}:${id}`);
    await disk.flushed;
}

class Adapter {
    constructor(name) {
        this.name = name;
        if (!stores.has(name)) stores.set(name, new Map());
        this.store = stores.get(name);
    }

    async upsert(id, payload) {
        this.store.set(id, payload);
        if (payload.uid) uids.set(payload.uid, payload);
        if (payload.grantId) {
            if (!grants.has(payload.grantId)) grants.set(payload.grantId, []);
            grants.get(payload.grantId).push([this, id]);
        }
        await keep(this.name, id, payload);
    }

    async find(id) { return this.store.get(id); }
    async findByUid(uid) { return uids.get(uid); }
    async findByUserCode() { return undefined; }

    async consume(id) {
        const payload = this.store.get(id);
        payload.consumed = Math.floor(Date.now() / 1000);
        await keep(this.name, id, payload);
    }

    async destroy(id) {
        this.store.delete(id);
        await keep(this.name, id);
    }

    async revokeByGrantId(grantId) {
        const all = (grants.get(grantId) ?? []).map(([adapter, id]) => adapter.destroy(id));
        grants.delete(grantId);
        await Promise.all(all);
    }
}

const jwk = (type, options, more) => ({ ...generateKeyPairSync(type, options).privateKey.export({ format: "jwk" }), use: "sig", ...more });
const client = (algorithm, kind) => ({
    client_id: `bench-${algorithm.toLowerCase()}${kind}`, client_secret: "bench-secret-of-forty-three-characters-here",
    redirect_uris: ["https://app.example/return"], grant_types: ["authorization_code", "refresh_token", "client_credentials"],
    response_types: ["code"], token_endpoint_auth_method: "client_secret_post", id_token_signed_response_alg: algorithm,
});

const API = "https://api.example", SCOPE = "openid profile email offline_access";
const signed = (client) => client.clientId.endsWith("-jwt");

const provider = new Provider(`https://127.0.0.1:${port}`, {
    adapter: Adapter,
    clients: ["RS256", "ES256", "EdDSA"].flatMap((algorithm) => [client(algorithm, ""), client(algorithm, "-jwt")]),
    enabledJWA: { idTokenSigningAlgValues: ["RS256", "ES256", "EdDSA"] },
    clientDefaults: { grant_types: ["authorization_code", "refresh_token", "client_credentials"] },
    jwks: { keys: [jwk("rsa", { modulusLength: 2048 }, { alg: "RS256", kid: "r" }), jwk("ec", { namedCurve: "P-256" }, { alg: "ES256", kid: "e" }), jwk("ed25519", {}, { alg: "EdDSA", kid: "d" })] },
    cookies: { keys: ["bench"] },
    pkce: { required: () => true },
    scopes: ["openid", "offline_access", "profile", "email"],
    claims: { openid: ["sub"], profile: ["name", "given_name", "family_name", "preferred_username"], email: ["email", "email_verified"] },
    features: {
        devInteractions: { enabled: false }, clientCredentials: { enabled: true }, revocation: { enabled: true },
        introspection: { enabled: true, allowedPolicy: () => true },
        resourceIndicators: {
            enabled: true,
            defaultResource: (_, client) => (signed(client) ? API : undefined),
            useGrantedResource: () => true,
            getResourceServerInfo: (_, __, client) => ({
                scope: SCOPE, accessTokenTTL: 600, accessTokenFormat: "jwt",
                jwt: { sign: { alg: client.idTokenSignedResponseAlg === "EdDSA" ? "EdDSA" : "ES256" } },
            }),
        },
    },
    issueRefreshToken: async () => true,
    rotateRefreshToken: true,
    ttl: { AccessToken: 600, ClientCredentials: 600, AuthorizationCode: 60, IdToken: 600, RefreshToken: 86400, Session: 3600, Grant: 86400, Interaction: 600 },
    interactions: { url: (_, interaction) => `/enter/${interaction.uid}` },
    findAccount: async (_, id) => ({
        accountId: id,
        claims: async () => ({ sub: id, name: "Gülay Kılıç", given_name: "Gülay", family_name: "Kılıç", preferred_username: id, email: `${id}@example.com`, email_verified: false }),
    }),
    loadExistingGrant: async (ctx) => {
        const known = ctx.oidc.session.grantIdFor(ctx.oidc.client.clientId);
        if (known) return ctx.oidc.provider.Grant.find(known);
        const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
        grant.addOIDCScope(SCOPE);
        if (signed(ctx.oidc.client)) grant.addResourceScope(API, SCOPE);
        await grant.save();
        return grant;
    },
});
provider.use(async (ctx, next) => {
    if (!ctx.path.startsWith("/enter/")) return next();
    return provider.interactionFinished(ctx.req, ctx.res, { login: { accountId: "u0" } });
});
const tls = (name) => readFileSync(`${process.env.TLS}/${name}`);
createServer({ cert: tls("leaf.pem"), key: tls("leaf.key"), minVersion: "TLSv1.3" }, provider.callback()).listen(port, "127.0.0.1", () => console.log("ready"));
