// An authorization server, the package `oidc-provider` of npm, and a body that takes its tokens:
// node authority.mjs NODE_MODULES PORT
// Tokens are good for two seconds. `/people/ID` is the body; `/revoke` makes every token so far worthless.
import { createServer } from "node:http";
const [, , modules, port] = process.argv;
const { default: Provider } = await import(`${modules}/oidc-provider/lib/index.js`);

const client = (id, method) => ({
  client_id: id, client_secret: "s3cr:t & more", token_endpoint_auth_method: method,
  grant_types: ["client_credentials"], redirect_uris: [], response_types: [], scope: "read",
});
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [client("the hub", "client_secret_basic"), client("form", "client_secret_post")],
  scopes: ["read", "write"],
  features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
  ttl: { ClientCredentials: 2 },
});
let granted = 0;
let refusedBefore = 0;
provider.on("grant.success", () => { granted += 1; });

createServer(async (request, response) => {
  const say = (status, body) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  };
  if (request.url.startsWith("/people/")) {
    const shown = (request.headers.authorization ?? "").replace(/^Bearer /, "");
    const token = await provider.ClientCredentials.find(shown);
    if (!token || !token.isValid || token.scope !== "read" || token.iat < refusedBefore) return say(401, { error: "invalid_token" });
    return say(200, { id: request.url.slice(8), client: token.clientId, granted });
  }
  if (request.url === "/revoke") {
    refusedBefore = Math.floor(Date.now() / 1000) + 1;
    return say(200, {});
  }
  return provider.callback()(request, response);
}).listen(Number(port), "127.0.0.1", () => console.log("ready"));
