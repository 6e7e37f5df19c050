package nocturne.cuda;

import java.lang.StackWalker.StackFrame;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import nocturne.io.DType;
import nocturne.tensor.Backend;
import nocturne.tensor.Operations;
import nocturne.tensor.Tensor;

/// Which operation was compared by which tests, on tensors of which type. It is not declared but noted while they run.
final class TwinList {
    /// What these read and write is float32 on every device.
    private static final Set<String> OF_FLOATS_ALONE = Set.of("Optimisation.adamW", "Optimisation.adamW8",
            "Optimisation.moveTowards", "Optimisation.sumOfSquares");

    private static final TwinList OF_THIS_RUN = new TwinList();

    /// An operation, such as `Norms.rmsNormBackward`, on storage of a type.
    private record Use(String operation, DType type) implements Comparable<Use> {
        @Override
        public int compareTo(Use other) {
            int byName = operation.compareTo(other.operation);
            return byName != 0 ? byName : type.compareTo(other.type);
        }

        @Override
        public String toString() {
            return operation + " in " + type;
        }
    }

    private final Map<Use, Set<String>> tests = new TreeMap<>();

    static TwinList ofThisRun() {
        return OF_THIS_RUN;
    }

    /// The same backend; whoever computes with it has his operations noted.
    Backend watched(Backend backend) {
        return proxy(Backend.class, backend);
    }

    private <T> T proxy(Class<T> type, T original) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (self, method, given) -> {
            Object[] arguments = given == null ? new Object[0] : given;
            if (isOperation(method)) note(nameOf(method), arguments);
            try {
                Object result = method.invoke(original, arguments);
                return families().contains(method.getReturnType()) ? watched(method.getReturnType(), result) : result;
            } catch (InvocationTargetException failed) {
                throw failed.getCause();
            }
        }));
    }

    private <T> T watched(Class<T> family, Object original) {
        return proxy(family, family.cast(original));
    }

    private void note(String operation, Object[] arguments) {
        boolean narrow = Arrays.stream(arguments)
                .anyMatch(argument -> argument instanceof Tensor tensor && tensor.type() == DType.BF16);
        add(new Use(operation, narrow ? DType.BF16 : DType.F32), runningTest());
    }

    /// The outermost method of a test class: the one that JUnit has called.
    private static String runningTest() {
        return StackWalker.getInstance().walk(frames -> frames
                .filter(frame -> frame.getClassName().endsWith("Test"))
                .reduce((inner, outer) -> outer)
                .map(TwinList::nameOf)
                .orElse("no test"));
    }

    private static String nameOf(StackFrame frame) {
        return frame.getClassName().substring(frame.getClassName().lastIndexOf('.') + 1) + "." + frame.getMethodName();
    }

    private static String nameOf(Method operation) {
        return operation.getDeclaringClass().getSimpleName() + "." + operation.getName();
    }

    /// The interfaces that a backend's operations are grouped in.
    private static List<Class<?>> families() {
        return Arrays.stream(Operations.class.getRecordComponents()).<Class<?>>map(RecordComponent::getType).toList();
    }

    private static boolean isOperation(Method method) {
        return Modifier.isAbstract(method.getModifiers()) && families().contains(method.getDeclaringClass());
    }

    private static Set<String> operations() {
        Set<String> operations = new TreeSet<>();
        for (Class<?> family : families()) {
            Arrays.stream(family.getMethods()).filter(TwinList::isOperation).map(TwinList::nameOf)
                    .forEach(operations::add);
        }
        return operations;
    }

    /// What must be compared, and was not.
    synchronized List<String> missing() {
        List<String> missing = new ArrayList<>();
        for (String operation : operations()) {
            for (DType type : List.of(DType.F32, DType.BF16)) {
                Use use = new Use(operation, type);
                boolean isNone = type == DType.BF16 && OF_FLOATS_ALONE.contains(operation);
                if (!isNone && !tests.containsKey(use)) missing.add(use.toString());
            }
        }
        return missing;
    }

    /// Whether each of these test classes has compared something.
    synchronized boolean haveRun(Collection<Class<?>> classes) {
        return classes.stream().allMatch(type -> tests.values().stream().flatMap(Set::stream)
                .anyMatch(test -> test.startsWith(type.getSimpleName() + ".")));
    }

    /// A test that has compared an operation.
    record Note(String operation, DType type, String test) {}

    synchronized List<Note> notes() {
        List<Note> notes = new ArrayList<>();
        tests.forEach((use, names) -> names.forEach(name -> notes.add(new Note(use.operation, use.type, name))));
        return notes;
    }

    static TwinList of(List<Note> notes) {
        TwinList list = new TwinList();
        for (Note note : notes) list.add(new Use(note.operation, note.type), note.test);
        return list;
    }

    private synchronized void add(Use use, String test) {
        tests.computeIfAbsent(use, _ -> new TreeSet<>()).add(test);
    }

    /// A table in Markdown.
    synchronized String text() {
        StringBuilder lines = new StringBuilder("""
                # Twins, as tested

                Each operation of a backend, its value and its gradient, computed by the CUDA backend on the simulated
                device and by the CPU backend, and compared by these tests. How they ended: the tests' own reports.

                | operation | part | float32 | bf16 |
                | --- | --- | --- | --- |
                """);
        for (String operation : operations()) {
            String part = operation.endsWith("ackward") ? "gradient" : "value";
            String narrow = OF_FLOATS_ALONE.contains(operation) ? "never bf16" : testsOf(operation, DType.BF16);
            lines.append("| `%s` | %s | %s | %s |%n"
                    .formatted(operation, part, testsOf(operation, DType.F32), narrow));
        }
        return lines.toString();
    }

    private String testsOf(String operation, DType type) {
        Set<String> found = tests.getOrDefault(new Use(operation, type), Set.of());
        return found.isEmpty() ? "**none**" : "`" + String.join("`, `", found) + "`";
    }
}
