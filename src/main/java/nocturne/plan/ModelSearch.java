package nocturne.plan;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import nocturne.hub.HubCache;
import nocturne.hub.ModelId;
import nocturne.problem.UserMistake;
import org.jspecify.annotations.Nullable;

/// Finds the folder that a model's name means, such as a recipe's `model.name_or_path`. Nothing is ever downloaded.
public sealed interface ModelSearch {
    /// There is no such model, or none for whoever asks.
    String NOT_FOUND = "MODEL_NOT_FOUND";
    /// It is there, but files that it says it has are not.
    String INCOMPLETE = "MODEL_INCOMPLETE";

    /// @param nameOrPath a path, or a model's name such as `Qwen/Qwen-Image-Edit-2509`
    /// @param bundle     the folder that the recipe's paths are relative to
    /// @return absolute; that it is there is known, what is in it is not
    /// @throws UserMistake [#NOT_FOUND], [#INCOMPLETE]
    Path find(String nameOrPath, Path bundle);

    /// Folders in which models lie, and what goes with them.
    List<Path> folders();

    /// Finds an accuracy recovery adapter.
    ///
    /// @param path as the recipe names it
    /// @return null where whoever asks can do without
    /// @throws UserMistake `ADAPTER_NOT_FOUND`
    default @Nullable Path recovery(String path, Path bundle) {
        return RecoverySearch.find(path, bundle, folders());
    }

    /// For a person at a terminal, who may read what he may read: any path, from where it is asked, from the bundle, or
    /// from Nocturne's own folder; what a service would find in the operator's folders; of a name the last part, in
    /// `models/` of the same three; of an id at a hub what the hub's own programs have fetched.
    ///
    /// @param home  Nocturne's own folder
    /// @param roots the operator's folders, absolute; each may be a cache of the hub's own programs
    /// @param cache such a cache beside them; null for none
    record Anywhere(Path home, List<Path> roots, @Nullable HubCache cache) implements ModelSearch {
        public Anywhere {
            roots = List.copyOf(roots);
        }

        /// With models in their usual folder, and the cache of whoever runs this process.
        public Anywhere(Path home) {
            this(home, List.of(home.resolve("models")), HubCache.ofThisUser().orElse(null));
        }

        @Override
        public List<Path> folders() {
            return roots;
        }

        @Override
        public Path find(String nameOrPath, Path bundle) {
            Path asked = path(nameOrPath).orElseThrow(() ->
                    new UserMistake(NOT_FOUND, nameOrPath, "cannot be the path of a folder on this system."));
            Set<Path> places = places(asked, bundle);
            List<ModelPlace> found = new ArrayList<>();
            for (Path place : places) if (Files.isDirectory(place)) found.add(ModelPlace.at(place));
            Optional<ModelId> id = ModelId.of(nameOrPath);
            id.ifPresent(it -> Stream.concat(roots.stream().map(HubCache::new), Stream.ofNullable(cache))
                    .forEach(each -> ModelPlace.in(each, it).ifPresent(found::add)));
            return ModelPlace.whole(found, nameOrPath).orElseThrow(() -> new UserMistake(NOT_FOUND, nameOrPath,
                    "is not here. Looked at %s. Put the model's folder at one of"
                    .formatted(places.stream().map(Path::toString).collect(Collectors.joining(", ")))
                    + " these, or name its folder with --model" + id.map(it -> ", or fetch it: " + it.command())
                    .orElse("") + "." + KnownModels.meant(nameOrPath)));
        }

        /// What a path means goes before what only ends like it, and then the operator's folders before others, so that
        /// a service finds the same.
        private Set<Path> places(Path asked, Path bundle) {
            List<Path> places = new ArrayList<>();
            for (Path folder : List.of(Path.of(""), bundle)) places.add(folder.resolve(asked));
            places.add(bundle.resolve("models").resolve(last(asked)));
            places.add(home.resolve(asked));
            for (Path root : roots) places.addAll(List.of(root.resolve(asked), root.resolve(last(asked))));
            for (Path folder : List.of(Path.of(""), home)) places.add(folder.resolve("models").resolve(last(asked)));
            return places.stream().map(place -> place.toAbsolutePath().normalize())
                    .collect(Collectors.toCollection(LinkedHashSet::new));
        }
    }

    /// For whoever sends bundles and requests to a service: the model lies in the bundle itself or below one of the
    /// operator's folders, wherever links lead; or it is of the family that Nocturne trains, and the hub's own programs
    /// have fetched it for the user that the service runs as.
    ///
    /// What lies elsewhere is answered in the same words as what does not exist, and nobody looks there, so that
    /// asking tells nothing about this machine. The answer names no folder of ours for the same reason.
    ///
    /// @param home  Nocturne's own folder, which relative paths may be meant from
    /// @param roots the operator's folders, absolute; each may be a cache of the hub's own programs
    /// @param cache such a cache beside them; null for none
    record Below(Path home, List<Path> roots, @Nullable HubCache cache) implements ModelSearch {
        public Below {
            roots = roots.stream().map(Path::normalize).toList();
        }

        /// Without a cache beside the operator's folders.
        public Below(Path home, List<Path> roots) {
            this(home, roots, null);
        }

        @Override
        public List<Path> folders() {
            return roots;
        }

        @Override
        public Path find(String nameOrPath, Path bundle) {
            Optional<Path> asked = path(nameOrPath);
            Optional<Path> own = asked.flatMap(path -> inBundle(path, bundle));
            if (own.isPresent()) return own.get();
            List<ModelPlace> found = new ArrayList<>();
            asked.ifPresent(path -> inRoots(path).forEach(place -> found.add(ModelPlace.at(place))));
            ModelId.of(nameOrPath).ifPresent(id -> inCaches(id).forEach(found::add));
            return ModelPlace.whole(found, nameOrPath).orElseThrow(() -> notFound(nameOrPath));
        }

        /// Where this model lies, whole, for whoever brings none in a bundle.
        public Optional<Path> here(ModelId id) {
            List<ModelPlace> found = new ArrayList<>();
            inRoots(Path.of(id.owner(), id.name())).forEach(place -> found.add(ModelPlace.at(place)));
            found.addAll(inCaches(id));
            try {
                return ModelPlace.whole(found, id.toString());
            } catch (UserMistake incomplete) {
                return Optional.empty();
            }
        }

        /// The same for every model that a sender cannot have.
        public static UserMistake notFound(String nameOrPath) {
            return new UserMistake(NOT_FOUND, nameOrPath, "is no model that jobs can have here. Name one that lies in"
                    + " the service's folders for models (its operator lists them in nocturne.models.roots), or put"
                    + " the model's folder into the bundle." + ModelId.of(nameOrPath).filter(ModelId::isKnown)
                    .map(id -> " Its operator can fetch this one: " + id.command()).orElse("")
                    + KnownModels.meant(nameOrPath));
        }

        /// A name that is no model of ours finds nothing outside of the roots: what else the user of the service has
        /// fetched is nobody's business.
        private List<ModelPlace> inCaches(ModelId id) {
            List<HubCache> caches = new ArrayList<>(roots.stream().map(HubCache::new).toList());
            HubCache fetched = cache;
            if (fetched != null && id.isKnown()) caches.add(fetched);
            return caches.stream().flatMap(each -> ModelPlace.in(each, id).stream()).toList();
        }

        private static Optional<Path> inBundle(Path asked, Path bundle) {
            // As the bundle is called, not by its real path: it is moved as a whole when it becomes a job's.
            Path root = bundle.toAbsolutePath().normalize();
            for (Path place : List.of(root.resolve(asked), root.resolve("models").resolve(last(asked)))) {
                if (real(place, root).isPresent()) return Optional.of(place.normalize());
            }
            return Optional.empty();
        }

        private List<Path> inRoots(Path asked) {
            Set<Path> places = new LinkedHashSet<>();
            places.add(home.resolve(asked));
            for (Path root : roots) {
                places.add(root.resolve(asked));
                places.add(root.resolve(last(asked)));
            }
            return places.stream().flatMap(place -> roots.stream().flatMap(root -> real(place, root).stream()))
                    .distinct().toList();
        }

        /// Where a place really is, if a folder is there and it is below the root.
        private static Optional<Path> real(Path place, Path root) {
            try {
                Path realRoot = root.toRealPath();
                Path plain = place.normalize();
                // First by name alone: outside nobody looks whether something is there.
                if (!isBelow(plain, root) && !isBelow(plain, realRoot)) return Optional.empty();
                Path real = plain.toRealPath();
                return isBelow(real, realRoot) && Files.isDirectory(real) ? Optional.of(real) : Optional.empty();
            } catch (IOException notThere) {
                return Optional.empty();
            }
        }

        private static boolean isBelow(Path place, Path root) {
            return place.startsWith(root) && !place.equals(root);
        }
    }

    /// For a plan, which can be made without the accuracy recovery adapter.
    ///
    /// @param search finds the model
    record WithoutRecovery(ModelSearch search) implements ModelSearch {
        @Override
        public List<Path> folders() {
            return search.folders();
        }

        @Override
        public Path find(String nameOrPath, Path bundle) {
            return search.find(nameOrPath, bundle);
        }

        @Override
        public @Nullable Path recovery(String path, Path bundle) {
            return RecoverySearch.look(path, bundle, folders()).orElse(null);
        }
    }

    /// The same where models that Nocturne trains, and that are not here or not whole, will be fetched: then the answer
    /// is the folder in which such a one is to lie.
    ///
    /// @param present with at least one folder of the operator
    record OrToCome(Below present) implements ModelSearch {
        public OrToCome {
            if (present.roots().isEmpty()) throw new IllegalArgumentException("nowhere to put a model");
        }

        @Override
        public List<Path> folders() {
            return present.folders();
        }

        /// Where this model is put when it is fetched, as `nocturne pull` does.
        public Path target(ModelId id) {
            return present.roots().getFirst().resolve(id.name());
        }

        /// As [Below#here].
        public Optional<Path> here(ModelId id) {
            return present.here(id);
        }

        @Override
        public Path find(String nameOrPath, Path bundle) {
            try {
                return present.find(nameOrPath, bundle);
            } catch (UserMistake absent) {
                return ModelId.of(nameOrPath).filter(ModelId::isKnown).map(this::target).orElseThrow(() -> absent);
            }
        }
    }

    /// For a plan of a model that need not be here: what is asked for lies, if it lies anywhere, in a folder that is
    /// not looked at.
    ///
    /// @param folders in which models lie that are here
    record Unseen(List<Path> folders) implements ModelSearch {
        public Unseen {
            folders = List.copyOf(folders);
        }

        @Override
        public Path find(String nameOrPath, Path bundle) {
            return Path.of("not-here").toAbsolutePath();
        }
    }

    /// For the trainer of a service, which has searched already.
    ///
    /// @param folder  where the model lies
    /// @param folders of the operator, in which what goes with it lies
    record At(Path folder, List<Path> folders) implements ModelSearch {
        public At {
            folder = folder.toAbsolutePath().normalize();
            folders = List.copyOf(folders);
        }

        @Override
        public Path find(String nameOrPath, Path bundle) {
            if (Files.isDirectory(folder)) return folder;
            throw new UserMistake(NOT_FOUND, nameOrPath,
                    "was %s when the job was taken, and is not there any more. Put it back, or hand in the bundle anew."
                            .formatted(folder));
        }
    }

    private static Optional<Path> path(String nameOrPath) {
        try {
            return Optional.of(Path.of(nameOrPath));
        } catch (InvalidPathException noPath) {
            return Optional.empty();
        }
    }

    /// What a path or a model's name ends with.
    private static Path last(Path asked) {
        return asked.getFileName() == null ? asked : asked.getFileName();
    }
}
