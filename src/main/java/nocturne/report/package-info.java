/// What a person looks at in the morning: the contact sheet, the loss curve and `report.html`.
///
/// Everything here is a pure function from records to pictures, text or bytes; nothing reads a file or a clock, and
/// the same records give the same bytes. No font, window system or network is touched: the letters are our own
/// ([nocturne.report.Letters]), the drawing is ours ([nocturne.report.Canvas]), and the page embeds its pictures,
/// so that a report can be made on the barest server and read on any machine.
@NullMarked
package nocturne.report;

import org.jspecify.annotations.NullMarked;
