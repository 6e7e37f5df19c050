/// Fetches the models of accepted jobs that are not here, where the operator wants that.
///
/// Invariants: with `nocturne.models.pull: never` nothing here ever asks a hub; only models that Nocturne trains are
/// fetched, whatever a recipe names; what waits for a model is known from the jobs alone, so a restart goes on; nobody
/// waits for a pull but the jobs that need it.
@NullMarked
package nocturne.service.pull;

import org.jspecify.annotations.NullMarked;
