/* Publishes with every QoS to its own subscription, prints what comes back. Arguments: URI, topic, MQTT version (3, 4, 5). */
#include <MQTTClient.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(int rc, const char *what) {
  if (rc == MQTTCLIENT_SUCCESS) return;
  fprintf(stderr, "%s: %d\n", what, rc);
  exit(1);
}

static void receive(MQTTClient client) {
  char *topic = NULL;
  int size = 0;
  MQTTClient_message *message = NULL;
  check(MQTTClient_receive(client, &topic, &size, &message, 5000), "receive");
  if (message == NULL) {
    fprintf(stderr, "nothing came\n");
    exit(1);
  }
  printf("%s %d %d %.*s\n", topic, message->qos, message->retained, message->payloadlen, (char *)message->payload);
  MQTTClient_freeMessage(&message);
  MQTTClient_free(topic);
}

static void talk3(MQTTClient client, const char *topic) {
  for (int qos = 0; qos < 3; ++qos) {
    char text[8];
    MQTTClient_deliveryToken token;
    snprintf(text, sizeof text, "m%d", qos);
    check(MQTTClient_publish(client, topic, (int)strlen(text), text, qos, 0, &token), "publish");
    check(MQTTClient_waitForCompletion(client, token, 5000), "completion");
    receive(client);
  }
}

static void talk5(MQTTClient client, const char *topic) {
  for (int qos = 0; qos < 3; ++qos) {
    char text[8];
    MQTTClient_deliveryToken token;
    snprintf(text, sizeof text, "m%d", qos);
    MQTTResponse response = MQTTClient_publish5(client, topic, (int)strlen(text), text, qos, 0, NULL, &token);
    check(response.reasonCode, "publish5");
    MQTTResponse_free(response);
    check(MQTTClient_waitForCompletion(client, token, 5000), "completion");
    receive(client);
  }
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  const char *topic = argv[2];
  const int version = atoi(argv[3]);
  MQTTClient client;
  MQTTClient_createOptions create = MQTTClient_createOptions_initializer;
  create.MQTTVersion = version;
  check(MQTTClient_createWithOptions(&client, argv[1], topic, MQTTCLIENT_PERSISTENCE_NONE, NULL, &create), "create");
  if (version == 5) {
    MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer5;
    options.cleanstart = 1;
    MQTTResponse response = MQTTClient_connect5(client, &options, NULL, NULL);
    check(response.reasonCode, "connect5");
    MQTTResponse_free(response);
    response = MQTTClient_subscribe5(client, topic, 2, NULL, NULL);
    check(response.reasonCode == 2 ? 0 : -1, "subscribe5");
    MQTTResponse_free(response);
    talk5(client, topic);
    check(MQTTClient_disconnect5(client, 1000, MQTTREASONCODE_SUCCESS, NULL), "disconnect5");
  } else {
    MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer;
    options.MQTTVersion = version;
    options.cleansession = 1;
    check(MQTTClient_connect(client, &options), "connect");
    check(MQTTClient_subscribe(client, topic, 2), "subscribe");
    talk3(client, topic);
    check(MQTTClient_disconnect(client, 1000), "disconnect");
  }
  MQTTClient_destroy(&client);
  return 0;
}
