// Publishes with every QoS to its own subscription, prints what comes back. Arguments: module folder, URL, topic, version.
const [folder, url, topic, version] = process.argv.slice(2);
const mqtt = require(require.resolve("mqtt", { paths: [folder] }));

const client = mqtt.connect(url, {
  clientId: topic, protocolVersion: Number(version), protocolId: version === "3" ? "MQIsdp" : "MQTT",
  reconnectPeriod: 0, connectTimeout: 5000, rejectUnauthorized: false,
});
const fail = (error) => { console.error(String(error)); process.exit(1); };
setTimeout(() => fail("nothing came"), 10000).unref();
client.on("error", fail);
let left = 3;
client.on("message", (name, payload, packet) => {
  console.log(`${name} ${packet.qos} ${packet.retain ? 1 : 0} ${payload}`);
  if (--left === 0) client.end(false, {}, () => process.exit(0));
});
client.on("connect", () => client.subscribe(topic, { qos: 2 }, async (error) => {
  if (error) fail(error);
  for (const qos of [0, 1, 2]) await client.publishAsync(topic, `m${qos}`, { qos }).catch(fail);
}));
