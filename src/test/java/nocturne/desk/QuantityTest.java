package nocturne.desk;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class QuantityTest {

    @ParameterizedTest
    @CsvSource({"0, 0 B", "999, 999 B", "1000, 1.0 kB", "9949, 9.9 kB", "9950, 10 kB", "999499, 999 kB",
        "999500, 1.0 MB", "58100000, 58 MB", "9223372036854775807, 9223 PB"})
    void bytesHaveTwoDigitsThatCount(long bytes, String words) {
        assertThat(Quantity.bytes(bytes)).isEqualTo(words);
    }

    @ParameterizedTest
    @CsvSource({"-5, 0s", "0, 0s", "59, 59s", "60, 1m 00s", "3599, 59m 59s", "3600, 1h 00m", "7500, 2h 05m",
        "86400, 1d 00h", "180000, 2d 02h"})
    void timesHaveTheTwoLargestUnits(long seconds, String words) {
        assertThat(Quantity.time(Duration.ofSeconds(seconds))).isEqualTo(words);
    }
}
