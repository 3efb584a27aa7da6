// One MQTT client over WebSocket, its state and what it saw. The library is loaded when somebody connects.
import type { MqttClient } from "mqtt";
import { useCallback, useEffect, useRef, useState } from "react";

export interface ConnectOptions {
  url: string;
  clientId: string;
  username: string;
  password: string;
  protocolVersion: 4 | 5;
  keepalive: number;
  clean: boolean;
}

export interface Seen {
  number: number;
  sent: boolean;
  time: number;
  topic: string;
  qos: number;
  retain: boolean;
  payload: Uint8Array;
}

type State = "off" | "connecting" | "on";

const kSeenMax = 200;

export function useMqtt() {
  const client = useRef<MqttClient | null>(null);
  const count = useRef(0);
  const [state, setState] = useState<State>("off");
  const [error, setError] = useState("");
  const [filters, setFilters] = useState<{ topic: string; qos: number }[]>([]);
  const [seen, setSeen] = useState<Seen[]>([]);

  const note = useCallback((message: Omit<Seen, "number" | "time">) => {
    const one = { ...message, number: count.current++, time: Date.now() };
    setSeen((before) => [one, ...before].slice(0, kSeenMax));
  }, []);

  const disconnect = useCallback(() => {
    client.current?.end(true);
    client.current = null;
    setState("off");
    setFilters([]);
  }, []);
  useEffect(() => disconnect, [disconnect]);

  const connect = useCallback(
    async ({ url, username, password, ...options }: ConnectOptions) => {
      setError("");
      setState("connecting");
      const { default: mqtt } = await import("mqtt");
      const made = mqtt.connect(url, {
        ...options,
        ...(username ? { username } : {}),
        ...(password ? { password } : {}),
        reconnectPeriod: 0,
        connectTimeout: 10_000,
      });
      client.current = made;
      made.on("connect", () => setState("on"));
      made.on("error", (failure) => setError(failure.message));
      made.on("close", () => {
        if (client.current === made) disconnect();
      });
      made.on("message", (topic, payload, packet) =>
        note({ sent: false, topic, qos: packet.qos, retain: packet.retain, payload: new Uint8Array(payload) }),
      );
    },
    [disconnect, note],
  );

  const subscribe = useCallback(async (topic: string, qos: 0 | 1 | 2) => {
    try {
      const granted = await client.current?.subscribeAsync(topic, { qos });
      const refused = granted?.some((one) => one.qos > 2);
      if (refused) throw new Error(`${topic}: not granted`);
      setFilters((before) => [...before.filter((one) => one.topic !== topic), { topic, qos }]);
      setError("");
    } catch (failure) {
      setError(failure instanceof Error ? failure.message : String(failure));
    }
  }, []);

  const unsubscribe = useCallback(async (topic: string) => {
    await client.current?.unsubscribeAsync(topic);
    setFilters((before) => before.filter((one) => one.topic !== topic));
  }, []);

  const publish = useCallback(
    async (message: { topic: string; payload: string; qos: 0 | 1 | 2; retain: boolean }) => {
      const { topic, payload, qos, retain } = message;
      try {
        await client.current?.publishAsync(topic, payload, { qos, retain });
        note({ sent: true, topic, qos, retain, payload: new TextEncoder().encode(payload) });
        setError("");
      } catch (failure) {
        setError(failure instanceof Error ? failure.message : String(failure));
      }
    },
    [note],
  );

  return { state, error, filters, seen, connect, disconnect, subscribe, unsubscribe, publish, clear: () => setSeen([]) };
}

export type Mqtt = ReturnType<typeof useMqtt>;
