package nocturne.service.source;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.Optional;
import nocturne.io.TransferWatch;
import nocturne.service.Secret;
import software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.ResponseInputStream;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.retries.DefaultRetryStrategy;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3ClientBuilder;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.S3Exception;

/// A store that speaks S3, Amazon's or anybody's.
final class S3Store {
    private final SourceConfig limits;
    private final S3Client client;

    S3Store(SourceConfig limits, S3Config config, Optional<S3Credentials> credentials) {
        this.limits = limits;
        S3ClientBuilder builder = S3Client.builder()
                .region(Region.of(config.region()))
                .forcePathStyle(config.pathStyle())
                .credentialsProvider(provider(credentials))
                // Whoever asked us tries again, later and as often as is sensible.
                .overrideConfiguration(settings -> settings.retryStrategy(DefaultRetryStrategy.doNotRetry()))
                // Other stores do not know Amazon's newer checksums; ours is the sha256 of the request.
                .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
                .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED)
                .httpClient(UrlConnectionHttpClient.builder()
                        .connectionTimeout(limits.patience()).socketTimeout(limits.patience()).build());
        URI endpoint = config.endpoint();
        if (endpoint != null) builder.endpointOverride(endpoint);
        this.client = builder.build();
    }

    private static AwsCredentialsProvider provider(Optional<S3Credentials> credentials) {
        if (credentials.isEmpty()) return AnonymousCredentialsProvider.create();
        S3Credentials key = credentials.get();
        String secret = key.secretKey().reveal();
        Secret token = key.sessionToken();
        return StaticCredentialsProvider.create(token == null
                ? AwsBasicCredentials.create(key.accessKey(), secret)
                : AwsSessionCredentials.create(key.accessKey(), secret, token.reveal()));
    }

    Path fetch(URI uri, String bucket, String key, Path into, Receipt receipt) {
        try (ResponseInputStream<GetObjectResponse> body =
                client.getObject(request -> request.bucket(bucket).key(key))) {
            return receive(uri, body, into, receipt);
        } catch (S3Exception e) {
            throw explained(uri, e);
        } catch (SdkClientException | IOException e) {
            throw Refusals.broken(uri, e);
        }
    }

    private Path receive(URI uri, ResponseInputStream<GetObjectResponse> body, Path into, Receipt receipt) {
        boolean whole = false;
        try (TransferWatch watch = new TransferWatch(limits.bounds(), body::abort)) {
            try {
                Path file = receipt.write(body, into, watch::moved);
                whole = true;
                return file;
            } catch (IOException | SdkClientException e) {
                throw Refusals.broken(uri, watch, e);
            }
        } finally {
            // Closing would read the rest, to use the connection again.
            if (!whole) body.abort();
        }
    }

    private static RuntimeException explained(URI uri, S3Exception failure) {
        int status = failure.statusCode();
        if (status == 404) return Refusals.unreadable(uri, "there is no such object");
        if (status == 401 || status == 403) {
            return Refusals.unreadable(uri, "this service may not read it (status %d)".formatted(status));
        }
        if (status >= 300 && status < 400) {
            return Refusals.refused(uri, "is redirected, which is not followed; the bucket is in another region");
        }
        if (status >= 400 && status < 500 && status != 408 && status != 429) {
            return Refusals.unreadable(uri, "the store answers with status " + status);
        }
        return Refusals.unreachable(uri, "the store answers with status " + status, failure);
    }
}
