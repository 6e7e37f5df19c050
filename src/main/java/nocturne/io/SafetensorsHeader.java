package nocturne.io;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import org.jspecify.annotations.Nullable;

/// The header of a safetensors file, read and checked: `u64 n | n bytes JSON | tensor bytes`.
///
/// The rules are those of the format's own description: the JSON starts with a brace and has no key twice, each
/// tensor's bytes are its shape times its type, and the tensors cover the bytes after the header exactly, without
/// holes and without sharing. So a header cannot make a reader allocate or touch more than the file really has.
///
/// @param metadata the `__metadata__` strings, in file order
/// @param tensors  every tensor by name, in header order
record SafetensorsHeader(SequencedMap<String, String> metadata, SequencedMap<String, TensorEntry> tensors) {
    /// The format's own limit.
    static final long MAX_HEADER_BYTES = 100_000_000;

    private static final int MAX_AXES = 16;
    private static final int MAX_PROBLEMS = 20;
    private static final ValueLayout.OfLong U64_LE =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final JsonFactory JSON = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(8)
                    .maxStringLength((int) MAX_HEADER_BYTES)
                    .build())
            // A shared symbol table would let one hostile file slow down the reading of the next.
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .build();

    /// Reads the header and leaves the tensor bytes untouched.
    ///
    /// @param file  the whole mapped file
    /// @param where the file as the user knows it, for messages
    /// @throws UserMistake `SAFETENSORS_INVALID`, naming every tensor that is wrong
    static SafetensorsHeader read(MemorySegment file, String where) {
        if (file.byteSize() < Long.BYTES) {
            throw invalid(where, "is %d bytes long, too short for a safetensors file (truncated copy?)"
                    .formatted(file.byteSize()));
        }
        long length = file.get(U64_LE, 0);
        // A u64 above 2^63 arrives negative here, so both ends of the range are checked.
        if (length < 2 || length > MAX_HEADER_BYTES || length > file.byteSize() - Long.BYTES) {
            throw invalid(where, ("header length %s does not fit a file of %d bytes "
                    + "(truncated copy, or not a safetensors file?)")
                    .formatted(Long.toUnsignedString(length), file.byteSize()));
        }
        byte[] json = file.asSlice(Long.BYTES, length).toArray(ValueLayout.JAVA_BYTE);
        if (json[0] != '{') throw invalid(where, "the header does not start with { (not a safetensors file?)");
        return new Reading(where, Long.BYTES + length, file.byteSize()).read(json);
    }

    /// A name from a file, fit for a message: short and without control characters.
    static String shown(String name) {
        String cut = name.length() <= 160 ? name : name.substring(0, 157) + "...";
        return cut.replaceAll("\\p{Cntrl}", "?");
    }

    private static UserMistake invalid(String where, String what) {
        return new UserMistake(Safetensors.INVALID, where, what);
    }

    /// One pass over one header; collects what is wrong so that the user sees all of it at once.
    private static final class Reading {
        private final String where;
        private final long dataStart;
        private final long fileBytes;
        private final List<Problem> problems = new ArrayList<>();
        private final SequencedMap<String, TensorEntry> tensors = new LinkedHashMap<>();

        Reading(String where, long dataStart, long fileBytes) {
            this.where = where;
            this.dataStart = dataStart;
            this.fileBytes = fileBytes;
        }

        SafetensorsHeader read(byte[] json) {
            SequencedMap<String, String> metadata = new LinkedHashMap<>();
            try (Reader text = new InputStreamReader(new ByteArrayInputStream(json), StandardCharsets.UTF_8.newDecoder()
                            .onMalformedInput(CodingErrorAction.REPORT)
                            .onUnmappableCharacter(CodingErrorAction.REPORT));
                    JsonParser parser = JSON.createParser(text)) {
                parser.nextToken();
                boolean metadataSeen = false;
                while (parser.nextToken() == JsonToken.FIELD_NAME) {
                    String name = parser.currentName();
                    if (name.equals("__metadata__")) {
                        if (metadataSeen) throw invalid(where, "the header has __metadata__ twice");
                        metadataSeen = true;
                        readMetadata(parser, metadata);
                    } else {
                        if (tensors.containsKey(name)) {
                            throw invalid(where, "the header names tensor %s twice".formatted(shown(name)));
                        }
                        tensors.put(name, readTensor(parser, name));
                    }
                }
                if (parser.nextToken() != null) throw invalid(where, "something follows the header's closing brace");
            } catch (JsonProcessingException e) {
                throw invalid(where, "the header is not well-formed JSON: " + shown(e.getOriginalMessage()));
            } catch (CharacterCodingException e) {
                throw invalid(where, "the header is not UTF-8 text");
            } catch (IOException e) {
                throw new IllegalStateException("reading from memory cannot fail", e);
            }
            throwIfWrong();
            checkLayout();
            throwIfWrong();
            return new SafetensorsHeader(metadata, tensors);
        }

        private void readMetadata(JsonParser parser, Map<String, String> metadata) throws IOException {
            if (parser.nextToken() != JsonToken.START_OBJECT) throw invalid(where, "__metadata__ is not an object");
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String key = parser.currentName();
                if (parser.nextToken() != JsonToken.VALUE_STRING) {
                    throw invalid(where, "metadata %s is not a string".formatted(shown(key)));
                }
                if (metadata.put(key, parser.getText()) != null) {
                    throw invalid(where, "metadata %s appears twice".formatted(shown(key)));
                }
            }
        }

        private TensorEntry readTensor(JsonParser parser, String name) throws IOException {
            if (parser.nextToken() != JsonToken.START_OBJECT) throw wrong(name, "is not described by an object");
            String dtype = null;
            List<Long> shape = null;
            List<Long> range = null;
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String field = parser.currentName();
                JsonToken value = parser.nextToken();
                switch (field) {
                    case "dtype" -> {
                        if (dtype != null) throw wrong(name, "has dtype twice");
                        if (value != JsonToken.VALUE_STRING) throw wrong(name, "has a dtype that is not a string");
                        dtype = parser.getText();
                    }
                    case "shape" -> {
                        if (shape != null) throw wrong(name, "has a shape twice");
                        shape = readWholeNumbers(parser, name, field);
                    }
                    case "data_offsets" -> {
                        if (range != null) throw wrong(name, "has data_offsets twice");
                        range = readWholeNumbers(parser, name, field);
                    }
                    // The reference reader passes over fields it does not know, and later versions may add some.
                    default -> parser.skipChildren();
                }
            }
            return entry(name, dtype, shape, range);
        }

        private List<Long> readWholeNumbers(JsonParser parser, String name, String field) throws IOException {
            if (!parser.isExpectedStartArrayToken()) throw wrong(name, "has a " + field + " that is not a list");
            List<Long> numbers = new ArrayList<>(4);
            while (parser.nextToken() != JsonToken.END_ARRAY) {
                if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT
                        || parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER
                        || parser.getLongValue() < 0) {
                    throw wrong(name, "has a " + field + " that is not a list of whole numbers >= 0");
                }
                if (numbers.size() == MAX_AXES) throw wrong(name, "has more than %d axes".formatted(MAX_AXES));
                numbers.add(parser.getLongValue());
            }
            return numbers;
        }

        /// Checks what can be checked of one tensor alone. A tensor that fails is noted, and stands in as empty.
        private TensorEntry entry(
                String name, @Nullable String dtypeName, @Nullable List<Long> shape, @Nullable List<Long> range) {
            TensorEntry none = new TensorEntry(name, DType.U8, List.of(0L), dataStart, 0);
            if (dtypeName == null) return note(name, "has no dtype", none);
            if (shape == null) return note(name, "has no shape", none);
            if (range == null || range.size() != 2) return note(name, "needs two data_offsets", none);
            Optional<DType> dtype = DType.named(dtypeName);
            if (dtype.isEmpty()) {
                return note(name, "has the type %s, which is not supported".formatted(shown(dtypeName)), none);
            }
            long begin = range.get(0);
            long bytes = range.get(1) - begin;
            if (bytes < 0) return note(name, "ends before it begins: data_offsets %s".formatted(range), none);
            long expected = dtype.get().bytes();
            try {
                for (long size : shape) expected = Math.multiplyExact(expected, size);
                Math.addExact(dataStart, range.get(1));
            } catch (ArithmeticException e) {
                return note(name, "is larger than any file: shape %s".formatted(shape), none);
            }
            if (bytes != expected) {
                return note(name, "%s %s needs %d bytes, its data_offsets %s give it %d"
                        .formatted(dtypeName, shape, expected, range, bytes), none);
            }
            return new TensorEntry(name, dtype.get(), shape, dataStart + begin, bytes);
        }

        private void checkLayout() {
            List<TensorEntry> inOrder = new ArrayList<>(tensors.values());
            inOrder.sort(Comparator.comparingLong(TensorEntry::offset).thenComparingLong(TensorEntry::bytes));
            long end = dataStart;
            for (TensorEntry tensor : inOrder) end = Math.max(end, tensor.offset() + tensor.bytes());
            if (end > fileBytes) {
                throw invalid(where, ("the header promises %d bytes, the file has %d: it looks like a truncated copy; "
                        + "fetch it again").formatted(end, fileBytes));
            }
            long covered = dataStart;
            String before = "the header";
            for (TensorEntry tensor : inOrder) {
                if (tensor.offset() > covered) {
                    note(tensor.name(), "leaves a hole of %d bytes after %s"
                            .formatted(tensor.offset() - covered, shown(before)), tensor);
                } else if (tensor.offset() < covered) {
                    note(tensor.name(), "shares %d bytes with %s"
                            .formatted(covered - tensor.offset(), shown(before)), tensor);
                }
                covered = Math.max(covered, tensor.offset() + tensor.bytes());
                before = tensor.name();
            }
            if (problems.isEmpty() && covered < fileBytes) {
                throw invalid(where, "%d bytes after the last tensor belong to nothing (two files in one?)"
                        .formatted(fileBytes - covered));
            }
        }

        private UserMistake wrong(String name, String what) {
            return invalid(where, "tensor %s %s".formatted(shown(name), what));
        }

        private TensorEntry note(String name, String what, TensorEntry entry) {
            if (problems.size() < MAX_PROBLEMS) {
                problems.add(new Problem(Safetensors.INVALID, where, "tensor %s %s".formatted(shown(name), what)));
            }
            return entry;
        }

        private void throwIfWrong() {
            if (problems.isEmpty()) return;
            if (problems.size() == 1) throw invalid(where, problems.getFirst().what());
            throw new UserMistake(where + " is not a sound safetensors file.", problems);
        }
    }
}
