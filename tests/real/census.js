// A census that speaks SOAP by the package `soap` of npm: node census.js NODE_MODULES WSDL PORT CERTIFICATE
const { createHash } = require("crypto");
const { readFileSync } = require("fs");
const { createServer } = require("http");
const [, , modules, wsdl, port, certificate] = process.argv;
const soap = require(`${modules}/soap`);
const { SignedXml } = require(`${modules}/xml-crypto`);

let raw = "";

const signed = () => {
  const signature = raw.match(/<ds:Signature[^]*<\/ds:Signature>/);
  if (!signature) return false;
  const check = new SignedXml({ publicCert: readFileSync(certificate, "utf8") });
  check.loadSignature(signature[0]);
  return check.checkSignature(raw) && check.getSignedReferences().some((part) => part.includes("12345678Z"));
};

const fault = (code, text) => ({ Fault: { faultcode: code, faultstring: text } });

const Person = ({ id }) => {
  if (id === "nobody") throw fault("census:Nobody", "nobody is called so");
  if (id === "broken") throw fault("soap:Server", "a secret went wrong");
  return {
    person: {
      "t:name": `Ana & ${id}`, "t:born": "1980-02-29", "t:owes": "10.50",
      "t:place": [{ "t:town": signed() ? "signed" : "unsigned" }, { "t:town": "Lugo" }],
      attributes: { "xmlns:t": "urn:types" },
    },
  };
};

const authenticate = (security) => {
  const token = security && security.UsernameToken;
  if (!token || token.Username !== "hub" || !security.Timestamp) return false;
  const digest = createHash("sha1");
  digest.update(Buffer.from(token.Nonce.$value || token.Nonce, "base64")).update(token.Created).update("secret");
  return (token.Password.$value || token.Password) === digest.digest("base64");
};

const server = createServer((_, response) => response.writeHead(404).end());
server.listen(Number(port), "127.0.0.1", () => {
  const port = { Person };
  for (const newer of [false, true]) {
    const service = soap.listen(server, {
      path: newer ? "/newer" : "/census", forceSoap12Headers: newer,
      uri: wsdl, xml: readFileSync(wsdl, "utf8"), services: { CensusService: { Older: port, Newer: port } },
    });
    service.authenticate = authenticate;
    service.log = (type, data) => { if (type === "received") raw = String(data); };
  }
});
