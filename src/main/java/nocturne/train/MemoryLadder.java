package nocturne.train;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import nocturne.memory.MemoryPlan;
import nocturne.plan.Inspection;
import nocturne.plan.Inspector;
import nocturne.plan.RecoverySearch;
import nocturne.problem.UserMistake;
import nocturne.recipe.Adaptation;
import nocturne.recipe.OnOutOfMemory;
import nocturne.recipe.Rung;

/// Finds out what a job gives up on a card whose memory is short: as little as is enough, what costs least first.
final class MemoryLadder {
    private final Inspector bundle;
    private final Consumer<Inspection> fit;

    /// What a job runs as.
    ///
    /// @param device with what is given up
    record Fitted(Inspection found, Adaptation device) {}

    /// @param fit throws `DEVICE_TOO_SMALL` where a job's least plan needs more than there is
    MemoryLadder(Inspector bundle, Consumer<Inspection> fit) {
        this.bundle = bundle;
        this.fit = fit;
    }

    /// @param asked  the job as it is on a device with room for everything
    /// @param device that device
    /// @throws UserMistake `DEVICE_TOO_SMALL`, where nothing may be given up or all of it is not enough
    Fitted fitted(Inspection asked, Adaptation device) {
        UserMistake tooSmall;
        try {
            fit.accept(asked);
            return new Fitted(asked, device);
        } catch (UserMistake mistake) {
            if (!isTooSmall(mistake) || asked.resolved().recipe().onOutOfMemory() == OnOutOfMemory.FAIL) throw mistake;
            tooSmall = mistake;
        }
        Fitted last = new Fitted(asked, device);
        for (Rung rung : Rung.values()) {
            List<Rung> given = new ArrayList<>(last.device.rungs());
            given.add(rung);
            Optional<Fitted> next = giving(asked, device.with(given));
            if (next.isEmpty() || changesNothing(last, next.get())) continue;
            last = next.get();
            if (fits(last)) return withoutNeedless(last);
        }
        throw new UserMistake(MemoryPlan.TOO_SMALL, tooSmall.problems().getFirst().where(),
                tooSmall.problems().getFirst().what() + last.device.rungs().stream().map(Rung::toString)
                        .collect(Collectors.joining(", ", " Giving up what can be (", ") was not enough.")));
    }

    /// @return empty where a recovery adapter would be needed that is not here
    private Optional<Fitted> giving(Inspection asked, Adaptation device) {
        try {
            Inspection found = bundle.inspect(device);
            boolean lacks = found.lacksRecovery() && !asked.lacksRecovery();
            return lacks ? Optional.empty() : Optional.of(new Fitted(found, device));
        } catch (UserMistake mistake) {
            if (!mistake.problems().getFirst().code().equals(RecoverySearch.NOT_FOUND)) throw mistake;
            return Optional.empty();
        }
    }

    /// A rung that helped little may be one too many beside a later one; the dearest goes first.
    private Fitted withoutNeedless(Fitted fitted) {
        List<Rung> taken = fitted.device.rungs();
        Fitted best = fitted;
        for (Rung rung : taken.subList(0, taken.size() - 1).reversed()) {
            List<Rung> fewer = best.device.rungs().stream().filter(each -> each != rung).toList();
            Adaptation device = best.device.with(fewer);
            Fitted candidate = new Fitted(bundle.inspect(device), device);
            if (fits(candidate)) best = candidate;
        }
        return best;
    }

    private boolean fits(Fitted candidate) {
        try {
            fit.accept(candidate.found);
            return true;
        } catch (UserMistake mistake) {
            if (!isTooSmall(mistake)) throw mistake;
            return false;
        }
    }

    private static boolean changesNothing(Fitted before, Fitted after) {
        return before.found.resolved().recipe().equals(after.found.resolved().recipe());
    }

    static boolean isTooSmall(UserMistake mistake) {
        return mistake.problems().getFirst().code().equals(MemoryPlan.TOO_SMALL);
    }
}
