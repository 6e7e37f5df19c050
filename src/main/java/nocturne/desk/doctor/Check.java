package nocturne.desk.doctor;

import java.util.List;

/// Something to look at.
interface Check {
    /// May throw anything; [Doctor] turns that into a finding.
    List<Finding> look() throws Exception;
}
