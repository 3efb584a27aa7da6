// SCRAM-SHA-256 by MQTT.js: connects, checks the server's signature, receives its own message. Arguments: module folder,
// URL, topic, user, password.
const crypto = require("crypto");
const [folder, url, topic, user, password] = process.argv.slice(2);
const mqtt = require(require.resolve("mqtt", { paths: [folder] }));

const fail = (error) => { console.error(String(error)); process.exit(1); };
setTimeout(() => fail("nothing came"), 10000).unref();
const hmac = (key, text) => crypto.createHmac("sha256", key).update(text).digest();
const bare = `n=${user},r=${crypto.randomBytes(18).toString("base64")}`;
let signature;

const client = mqtt.connect(url, {
  clientId: topic, protocolVersion: 5, reconnectPeriod: 0, connectTimeout: 5000,
  properties: { authenticationMethod: "SCRAM-SHA-256", authenticationData: Buffer.from("n,," + bare) },
});
client.handleAuth = (packet, callback) => {
  const first = packet.properties.authenticationData.toString();
  const field = Object.fromEntries(first.split(",").map((f) => [f[0], f.slice(2)]));
  const salted = crypto.pbkdf2Sync(password, Buffer.from(field.s, "base64"), Number(field.i), 32, "sha256");
  const clientKey = hmac(salted, "Client Key");
  const without = `c=biws,r=${field.r}`;
  const message = `${bare},${first},${without}`;
  const mask = hmac(crypto.createHash("sha256").update(clientKey).digest(), message);
  const proof = Buffer.from(clientKey.map((byte, i) => byte ^ mask[i])).toString("base64");
  signature = "v=" + hmac(hmac(salted, "Server Key"), message).toString("base64");
  callback(null, {
    cmd: "auth", reasonCode: 24,
    properties: { authenticationMethod: "SCRAM-SHA-256", authenticationData: Buffer.from(`${without},p=${proof}`) },
  });
};
client.on("error", fail);
client.on("message", (name, payload) => {
  console.log(`${name} ${payload}`);
  client.end(false, {}, () => process.exit(0));
});
client.on("connect", (connack) => {
  if (connack.properties.authenticationData.toString() !== signature) fail("the server does not know the password");
  client.subscribe(topic, {}, (error) => (error ? fail(error) : client.publish(topic, "hello")));
});
