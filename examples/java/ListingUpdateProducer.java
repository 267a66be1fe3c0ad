import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Publishes one listing update, as docs/contracts asks for it. Needs kafka-clients and jackson-databind.
 *
 * <p>Arguments: brokers, topic, listing id, description.
 */
public final class ListingUpdateProducer {
    /** The business transaction. */
    record TransactionContext(String transactionId) {}

    /** The fields of docs/contracts/schemas/listing-update.producer.json; those that are null are left out. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record ListingUpdate(
            String eventId,
            String eventType,
            String occurredAt,
            TransactionContext transactionContext,
            String partnerId,
            String listingId,
            Map<String, String> attributes) {}

    public static void main(String[] arguments) throws Exception {
        if (arguments.length != 4) {
            System.err.println("arguments: BROKERS TOPIC LISTING DESCRIPTION");
            System.exit(2);
        }
        String listing = arguments[2];
        ListingUpdate event =
                new ListingUpdate(
                        "E-" + listing + "-" + System.nanoTime(),
                        "listing-update",
                        // The moment of the change, with its offset from UTC: the promise of 250 ms counts from here.
                        Instant.now().truncatedTo(ChronoUnit.MILLIS).toString(),
                        new TransactionContext("T-1"),
                        "P-77",
                        listing,
                        Map.of("listingDescription", arguments[3]));
        try (KafkaProducer<String, byte[]> producer = new KafkaProducer<>(configuration(arguments[0]))) {
            // The same key for all changes of one listing: their order is kept.
            ProducerRecord<String, byte[]> record =
                    new ProducerRecord<>(arguments[1], listing, new ObjectMapper().writeValueAsBytes(event));
            record.headers()
                    .add(
                            "traceparent",
                            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".getBytes(StandardCharsets.UTF_8));
            Future<RecordMetadata> sent = producer.send(record);
            // Waiting for each is for an example; a service looks at the result in a callback.
            RecordMetadata where = sent.get();
            System.out.println(where.topic() + "-" + where.partition() + "@" + where.offset());
        }
    }

    private static Properties configuration(String brokers) {
        Properties properties = new Properties();
        properties.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, brokers);
        properties.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, StringSerializer.class);
        properties.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
        // No change is lost or written twice when a broker fails.
        properties.put(ProducerConfig.ACKS_CONFIG, "all");
        properties.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        return properties;
    }
}
