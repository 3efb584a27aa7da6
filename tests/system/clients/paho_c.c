/* What test_transports.py wants of a client: own messages with each QoS, a retained one, one that a session kept, a will.
   Prints a line for each. Arguments: URI, topic, MQTT version (3, 4, 5), CA file, certificate file, key file. */
#include <MQTTClient.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *uri, *ca, *certificate, *key;
static int version;

static void fail(const char *what, int rc) {
  fprintf(stderr, "%s: %d\n", what, rc);
  exit(1);
}

static void check(int rc, const char *what) {
  if (rc != MQTTCLIENT_SUCCESS) fail(what, rc);
}

static MQTTClient start(const char *id, int clean, const char *will_topic, int *present) {
  MQTTClient client;
  MQTTClient_createOptions create = MQTTClient_createOptions_initializer;
  create.MQTTVersion = version;
  check(MQTTClient_createWithOptions(&client, uri, id, MQTTCLIENT_PERSISTENCE_NONE, NULL, &create), "create");
  MQTTClient_SSLOptions ssl = MQTTClient_SSLOptions_initializer;
  ssl.trustStore = ca;
  ssl.keyStore = certificate;
  ssl.privateKey = key;
  ssl.verify = 1;
  MQTTClient_willOptions will = MQTTClient_willOptions_initializer;
  will.topicName = will_topic;
  will.message = "gone";
  will.qos = 1;
  MQTTClient_connectOptions v3 = MQTTClient_connectOptions_initializer;
  MQTTClient_connectOptions v5 = MQTTClient_connectOptions_initializer5;
  MQTTClient_connectOptions *options = version == 5 ? &v5 : &v3;
  options->MQTTVersion = version;
  options->connectTimeout = 10;
  if (ca) options->ssl = &ssl;
  if (will_topic) options->will = &will;
  if (version == 5) {
    options->cleanstart = clean;
    MQTTProperties properties = MQTTProperties_initializer;
    MQTTProperty expiry;
    memset(&expiry, 0, sizeof expiry);
    expiry.identifier = MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL;
    expiry.value.integer4 = clean ? 0 : 60;
    MQTTProperties_add(&properties, &expiry);
    MQTTResponse response = MQTTClient_connect5(client, options, &properties, NULL);
    check(response.reasonCode, "connect5");
    MQTTResponse_free(response);
    MQTTProperties_free(&properties);
  } else {
    options->cleansession = clean;
    check(MQTTClient_connect(client, options), "connect");
  }
  if (present) *present = options->returned.sessionPresent;
  return client;
}

static void subscribe(MQTTClient client, const char *topic, int qos) {
  if (version == 5) {
    MQTTResponse response = MQTTClient_subscribe5(client, topic, qos, NULL, NULL);
    if ((int)response.reasonCode != qos) fail("subscribe5", response.reasonCode);
    MQTTResponse_free(response);
  } else {
    check(MQTTClient_subscribe(client, topic, qos), "subscribe");
  }
}

static void publish(MQTTClient client, const char *topic, const char *text, int qos, int retained) {
  MQTTClient_deliveryToken token;
  if (version == 5) {
    MQTTResponse response =
        MQTTClient_publish5(client, topic, (int)strlen(text), text, qos, retained, NULL, &token);
    check(response.reasonCode, "publish5");
    MQTTResponse_free(response);
  } else {
    check(MQTTClient_publish(client, topic, (int)strlen(text), text, qos, retained, &token), "publish");
  }
  check(MQTTClient_waitForCompletion(client, token, 10000), "completion");
}

static void receive(MQTTClient client) {
  char *topic = NULL;
  int size = 0;
  MQTTClient_message *message = NULL;
  check(MQTTClient_receive(client, &topic, &size, &message, 10000), "receive");
  if (message == NULL) fail("nothing came", 0);
  printf("%s %d %d %.*s\n", topic, message->qos, message->retained, message->payloadlen, (char *)message->payload);
  MQTTClient_freeMessage(&message);
  MQTTClient_free(topic);
}

static void end(MQTTClient client) {
  if (version == 5)
    check(MQTTClient_disconnect5(client, 1000, MQTTREASONCODE_SUCCESS, NULL), "disconnect5");
  else
    check(MQTTClient_disconnect(client, 1000), "disconnect");
  MQTTClient_destroy(&client);
}

int main(int argc, char **argv) {
  if (argc < 4 || argc > 7) return 2;
  uri = argv[1];
  const char *topic = argv[2];
  version = atoi(argv[3]);
  ca = argc > 4 ? argv[4] : NULL;
  certificate = argc > 5 ? argv[5] : NULL;
  key = argc > 6 ? argv[6] : NULL;
  char retained[64], session[64], will[64], other[64], dying[64];
  snprintf(retained, sizeof retained, "%s/r", topic);
  snprintf(session, sizeof session, "%s/s", topic);
  snprintf(will, sizeof will, "%s/w", topic);
  snprintf(other, sizeof other, "%s-s", topic);
  snprintf(dying, sizeof dying, "%s-d", topic);
  MQTTClient_init_options init = MQTTClient_init_options_initializer;
  init.do_openssl_init = 1;
  MQTTClient_global_init(&init);

  /* Before this process has threads: a child whose end is the end of a connection, when it is told. */
  int tell[2];
  if (pipe(tell) != 0) return 2;
  const pid_t child = fork();
  if (child == 0) {
    char go;
    if (read(tell[0], &go, 1) != 1) _exit(3);
    start(dying, 1, will, NULL);
    _exit(0);
  }

  MQTTClient client = start(topic, 1, NULL, NULL);
  subscribe(client, topic, 2);
  for (int qos = 0; qos < 3; ++qos) {
    char text[8];
    snprintf(text, sizeof text, "m%d", qos);
    publish(client, topic, text, qos, 0);
    receive(client);
  }
  publish(client, retained, "kept", 1, 1);
  subscribe(client, retained, 1);
  receive(client);

  MQTTClient kept = start(other, 0, NULL, NULL);
  subscribe(kept, session, 1);
  end(kept);
  publish(client, session, "waited", 1, 0);
  int present = 0;
  kept = start(other, 0, NULL, &present);
  /* The library tells it for 3.1.1 alone; in 5.0 only a session can have kept the message. */
  printf("session %d\n", version == 5 ? 1 : version == 4 && present);
  receive(kept);
  end(kept);

  subscribe(client, will, 1);
  if (write(tell[1], "x", 1) != 1) return 2;
  int status = 0;
  if (waitpid(child, &status, 0) != child || status != 0) fail("the client that dies", status);
  receive(client);
  publish(client, retained, "", 1, 1);
  end(client);
  return 0;
}
