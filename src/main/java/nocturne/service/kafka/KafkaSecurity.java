package nocturne.service.kafka;

import io.micronaut.context.annotation.ConfigurationProperties;
import io.micronaut.core.annotation.Nullable;
import io.micronaut.core.bind.annotation.Bindable;
import io.micronaut.core.convert.format.MapFormat;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import nocturne.problem.UserMistake;
import nocturne.service.Secret;
import nocturne.service.ServiceConfig;

/// How this service shows Kafka who it is, and makes sure who Kafka is.
///
/// The password comes from `password-file` or from the environment, `NOCTURNE_KAFKA_PASSWORD`; the other one, of the
/// key store, from `key-password-file`.
///
/// @param protocol        `PLAINTEXT`, `SSL`, `SASL_PLAINTEXT` or `SASL_SSL`
/// @param mechanism       of SASL: `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`
/// @param user            for SASL
/// @param passwordFile    a file with that user's password
/// @param trust           certificates that we believe, PEM; none for those that Java believes
/// @param key             our own certificate and private key in one file, PEM
/// @param keyPasswordFile a file with the password of that private key
/// @param client          any other setting of Kafka's clients, by its own name
@ConfigurationProperties("nocturne.kafka.security")
record KafkaSecurity(
        @Bindable(defaultValue = "PLAINTEXT") String protocol,
        @Bindable(defaultValue = "SCRAM-SHA-512") String mechanism,
        @Nullable String user,
        @Nullable Path passwordFile,
        @Nullable Path trust,
        @Nullable Path key,
        @Nullable Path keyPasswordFile,
        @MapFormat(transformation = MapFormat.MapTransformation.FLAT) @Nullable Map<String, String> client) {
    private static final Set<String> PROTOCOLS = Set.of("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL");
    private static final Map<String, String> MODULES = Map.of(
            "PLAIN", "org.apache.kafka.common.security.plain.PlainLoginModule",
            "SCRAM-SHA-256", "org.apache.kafka.common.security.scram.ScramLoginModule",
            "SCRAM-SHA-512", "org.apache.kafka.common.security.scram.ScramLoginModule");
    private static final String PASSWORD_VARIABLE = "NOCTURNE_KAFKA_PASSWORD";

    KafkaSecurity {
        if (!PROTOCOLS.contains(protocol)) {
            throw wrong("protocol", protocol + " is not allowed; PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL");
        }
        if (!MODULES.containsKey(mechanism)) {
            throw wrong("mechanism", mechanism + " is not allowed; PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512");
        }
        if (protocol.startsWith("SASL") && user == null) throw wrong("user", "is missing; " + protocol + " wants one");
        client = client == null ? Map.of() : Map.copyOf(client);
    }

    static KafkaSecurity none() {
        return new KafkaSecurity("PLAINTEXT", "SCRAM-SHA-512", null, null, null, null, null, null);
    }

    /// The same as settings of Kafka's clients. They hold passwords: never to be printed.
    Map<String, Object> settings(ServiceConfig places, Map<String, String> environment) {
        Map<String, Object> settings = new HashMap<>();
        settings.put("security.protocol", protocol);
        if (protocol.startsWith("SASL")) {
            settings.put("sasl.mechanism", mechanism);
            Secret password = passwordFile == null
                    ? Secret.inEnvironment(PASSWORD_VARIABLE, environment, "nocturne.kafka.security.password-file")
                    : Secret.inFile(places.home().resolve(passwordFile), "nocturne.kafka.security.password-file");
            settings.put("sasl.jaas.config", "%s required username=\"%s\" password=\"%s\";".formatted(
                    MODULES.get(mechanism), quoted(String.valueOf(user)), quoted(password.reveal())));
        }
        if (trust != null) {
            settings.put("ssl.truststore.type", "PEM");
            settings.put("ssl.truststore.location", places.home().resolve(trust).toString());
        }
        if (key != null) {
            settings.put("ssl.keystore.type", "PEM");
            settings.put("ssl.keystore.location", places.home().resolve(key).toString());
        }
        if (keyPasswordFile != null) {
            settings.put("ssl.key.password", Secret.inFile(places.home().resolve(keyPasswordFile),
                    "nocturne.kafka.security.key-password-file").reveal());
        }
        if (client != null) settings.putAll(client);
        return settings;
    }

    /// For a quoted word of a JAAS line.
    private static String quoted(String text) {
        return text.replace("\\", "\\\\").replace("\"", "\\\"");
    }

    private static UserMistake wrong(String key, String what) {
        return new UserMistake("CONFIG_INVALID", "nocturne.kafka.security." + key, what);
    }
}
