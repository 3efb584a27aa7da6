// What test_transports.py wants of a client: own messages with each QoS, a retained one, one that a session kept, a will.
// Prints a line for each. Arguments: module folder, JSON with url, topic, version, and the files ca, cert, key.
const fs = require("fs");
const [folder, json] = process.argv.slice(2);
const mqtt = require(require.resolve("mqtt", { paths: [folder] }));
const { url, topic, version, ...files } = JSON.parse(json);
const identity = Object.fromEntries(Object.entries(files).map(([name, path]) => [name, fs.readFileSync(path)]));

const fail = (error) => { console.error(String(error)); process.exit(1); };
setTimeout(() => fail("nothing came"), 15000).unref();

function connect(clientId, clean = true, more = {}) {
  const client = mqtt.connect(url, {
    clientId, clean, protocolVersion: version, protocolId: version === 3 ? "MQIsdp" : "MQTT", reconnectPeriod: 0,
    connectTimeout: 5000, ...identity, ...(version === 5 && !clean ? { properties: { sessionExpiryInterval: 60 } } : {}), ...more,
  });
  const waiting = [], arrived = [];
  client.on("error", fail);
  client.on("message", (name, payload, packet) => {
    const line = `${name} ${packet.qos} ${packet.retain ? 1 : 0} ${payload}`;
    waiting.length ? waiting.shift()(line) : arrived.push(line);
  });
  client.line = () => arrived.length ? Promise.resolve(arrived.shift()) : new Promise((done) => waiting.push(done));
  client.take = async () => console.log(await client.line());
  return new Promise((done) => client.once("connect", (connack) => done(Object.assign(client, { present: connack.sessionPresent }))));
}

async function main() {
  const client = await connect(topic);
  await client.subscribeAsync(topic, { qos: 2 });
  for (const qos of [0, 1, 2]) {
    await client.publishAsync(topic, `m${qos}`, { qos });
    await client.take();
  }
  await client.publishAsync(`${topic}/r`, "kept", { qos: 1, retain: true });
  await client.subscribeAsync(`${topic}/r`, { qos: 1 });
  await client.take();

  let kept = await connect(`${topic}-s`, false);
  await kept.subscribeAsync(`${topic}/s`, { qos: 1 });
  await kept.endAsync();
  await client.publishAsync(`${topic}/s`, "waited", { qos: 1 });
  kept = await connect(`${topic}-s`, false);
  console.log(`session ${version > 3 && kept.present ? 1 : 0}`);
  await kept.take();
  await kept.endAsync();

  await client.subscribeAsync(`${topic}/w`, { qos: 1 });
  const dying = await connect(`${topic}-d`, true, { will: { topic: `${topic}/w`, payload: "gone", qos: 1 } });
  dying.removeAllListeners("error");
  dying.on("error", () => {});
  dying.stream.destroy();
  await client.take();
  await client.publishAsync(`${topic}/r`, "", { qos: 1, retain: true });
  await client.endAsync();
  process.exit(0);
}
main().catch(fail);
