package nocturne.hub;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import nocturne.io.TransferWatch;
import nocturne.problem.SickMachine;

/// All files of a model as of one commit.
///
/// @param commit what the revision is, 40 hexadecimal digits: whatever is fetched by it cannot change meanwhile
/// @param files  in the hub's order; their paths lead nowhere else, but may be one another's
record HubTree(String commit, List<HubFile> files) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");
    private static final Pattern NEXT = Pattern.compile("<([^<>]{1,4000})>\\s*;[^,<]*\\brel=\"?next\"?");
    private static final int MOST_ANSWER_BYTES = 32_000_000;
    private static final int MOST_FILES = 20_000;

    HubTree {
        files = List.copyOf(files);
    }

    /// @param revision a branch, tag or commit, such as `main`
    /// @throws SickMachine `HUB_ANSWER_INVALID` if the hub says what no hub should; `HUB_UNREACHABLE`
    /// @throws nocturne.problem.UserMistake `HUB_REFUSED` if there is no such model for us
    static HubTree of(Hub hub, ModelId id, String revision) {
        String model = "/api/models/" + id;
        String what = id + (revision.equals("main") ? "" : " at " + revision);
        try {
            JsonNode about = read(hub, what, model + "/revision/", revision, "").json();
            String commit = about.path("sha").asText();
            if (!COMMIT.matcher(commit).matches()) throw new HubAnswerInvalid("does not say which commit that is");
            return new HubTree(commit, list(hub, what, model + "/tree/", commit));
        } catch (HubAnswerInvalid nonsense) {
            throw new SickMachine("HUB_ANSWER_INVALID", "%s: %s; nothing was fetched".formatted(what,
                    nonsense.getMessage()), nonsense);
        }
    }

    private static List<HubFile> list(Hub hub, String what, String path, String commit) throws HubAnswerInvalid {
        List<HubFile> files = new ArrayList<>();
        Set<String> asked = new HashSet<>();
        String query = "recursive=true";
        while (asked.add(query)) {
            Answer page = read(hub, what, path, commit, query);
            if (!page.json().isArray()) throw new HubAnswerInvalid("sends something else than a list of files");
            for (JsonNode entry : page.json()) {
                if (!entry.path("type").asText().equals("file")) continue;
                files.add(file(entry));
                if (files.size() > MOST_FILES) throw new HubAnswerInvalid("names more files than any model has");
            }
            if (page.next().isEmpty()) return files;
            query = page.next().get();
        }
        throw new HubAnswerInvalid("sends one page of its list for ever");
    }

    private static HubFile file(JsonNode entry) throws HubAnswerInvalid {
        String path = entry.path("path").asText();
        if (!TreePaths.isInside(path)) {
            throw new HubAnswerInvalid("names a file that leads out of the model's folder, or cannot be one");
        }
        JsonNode large = entry.path("lfs");
        String hash = (large.isObject() ? large : entry).path("oid").asText().replaceFirst("^sha256:", "");
        JsonNode bytes = (large.isObject() ? large : entry).path("size");
        boolean fits = hash.length() == (large.isObject() ? 64 : 40);
        if (!fits || !HubFile.isHash(hash) || !bytes.canConvertToLong() || bytes.asLong() < 0) {
            throw new HubAnswerInvalid("does not say the length and hash of " + path);
        }
        return new HubFile(path, bytes.asLong(), hash);
    }

    /// @param next the query of the next page; the rest of its address is ours to know
    private record Answer(JsonNode json, Optional<String> next) {}

    /// @param last part of the path, in which a slash is no separator
    private static Answer read(Hub hub, String what, String path, String last, String query) throws HubAnswerInvalid {
        return hub.patiently(what, () -> {
            HttpResponse<InputStream> response = hub.get(hub.endpoint().at(path, last, query), 0, what);
            try (InputStream body = response.body();
                    TransferWatch watch = new TransferWatch(hub.patience().bounds(), body)) {
                byte[] bytes = body.readNBytes(MOST_ANSWER_BYTES + 1);
                watch.moved(bytes.length);
                if (bytes.length > MOST_ANSWER_BYTES) throw new HubAnswerInvalid("sends far too much");
                return new Answer(JSON.readTree(bytes), next(response));
            } catch (JacksonException e) {
                throw new HubAnswerInvalid("sends something else than JSON");
            }
        });
    }

    private static Optional<String> next(HttpResponse<?> response) throws IOException {
        for (String link : response.headers().allValues("Link")) {
            Matcher next = NEXT.matcher(link);
            if (!next.find()) continue;
            try {
                String query = URI.create(next.group(1)).getRawQuery();
                if (query != null) return Optional.of(query);
            } catch (IllegalArgumentException noAddress) {
                // Told below.
            }
            throw new HubAnswerInvalid("does not say where its list goes on");
        }
        return Optional.empty();
    }
}
