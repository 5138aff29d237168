// SCIMMY (npm) as a SCIM server, for bench/scim-side-by-side: node scimmy.mjs PORT, with the packages of package.json in NODE_MODULES, and
// leaf.pem and leaf.key in the folder TLS.
//
// As fast as its library lets it be: ids and user names are looked up in maps, no reference is checked. SCIMMY has no store of its own.
// With STORE=FOLDER a change is on disk before it is answered, as rollbook's is (LMDB, the fastest store for Node.js; commits are shared by
// those who wait). Without it everything is in memory alone.
import { createRequire } from "node:module";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";

const require = createRequire(`${process.env.NODE_MODULES}/`);
const load = (name) => ((module) => module.default ?? module)(require(name));
const [express, SCIMMY, SCIMMYRouters] = ["express", "scimmy", "scimmy-routers"].map(load);

const disk = process.env.STORE ? require("lmdb").open({ path: process.env.STORE }) : undefined;

async function keep(type, id, value) {
    if (!disk) return;
    if (value) disk.put(`${type}:${id}`, value); else disk.remove(`${type}:${id}`);
    await disk.flushed;
}

function store(type, unique) {
    const byId = new Map(), byName = new Map();
    const key = (value) => String(value[unique]).toLowerCase();
    return {
        async ingress(resource, data) {
            const now = new Date().toISOString();
            const old = resource.id ? byId.get(resource.id) : undefined;
            if (resource.id && !old) throw new SCIMMY.Types.Error(404, null, "not found");
            const value = { ...JSON.parse(JSON.stringify(data)), id: old?.id ?? randomUUID() };
            const taken = byName.get(key(value));
            if (taken && taken.id !== value.id) throw new SCIMMY.Types.Error(409, "uniqueness", "taken");
            value.meta = { created: old?.meta.created ?? now, lastModified: now };
            if (old) byName.delete(key(old));
            byId.set(value.id, value);
            byName.set(key(value), value);
            await keep(type, value.id, value);
            return value;
        },
        egress(resource) {
            if (resource.id) {
                const value = byId.get(resource.id);
                if (!value) throw new SCIMMY.Types.Error(404, null, "not found");
                return value;
            }
            // What an application with an index would do: the one filter that identity providers send.
            const wanted = resource.filter?.length === 1 ? resource.filter[0][unique] : undefined;
            if (Array.isArray(wanted) && wanted[0] === "eq") {
                const value = byName.get(String(wanted[1]).toLowerCase());
                return value ? [value] : [];
            }
            return [...byId.values()];
        },
        async degress(resource) {
            const value = byId.get(resource.id);
            if (!value) throw new SCIMMY.Types.Error(404, null, "not found");
            byId.delete(resource.id);
            byName.delete(key(value));
            await keep(type, resource.id);
        },
    };
}

for (const [type, unique] of [["User", "userName"], ["Group", "displayName"]]) {
    const { ingress, egress, degress } = store(type, unique);
    SCIMMY.Resources.declare(SCIMMY.Resources[type]).ingress(ingress).egress(egress).degress(degress);
}
SCIMMY.Config.set({ patch: true, filter: { supported: true, maxResults: 1000 }, bulk: { supported: true, maxOperations: 1000, maxPayloadSize: 16777216 }, sort: true, changePassword: false });

const app = express();
app.use(express.json({ type: ["application/scim+json", "application/json"], limit: "64mb" }));
app.use("/scim", new SCIMMYRouters({
    type: "bearer",
    handler: (request) => {
        if (request.header("Authorization") !== "Bearer bench") throw new Error("no");
        return "bench";
    },
}));
const tls = (name) => readFileSync(`${process.env.TLS}/${name}`);
createServer({ cert: tls("leaf.pem"), key: tls("leaf.key"), minVersion: "TLSv1.3" }, app).listen(Number(process.argv[2]), "127.0.0.1", () => console.log("ready"));
