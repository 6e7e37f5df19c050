package nocturne.recipe;

import java.util.Locale;
import java.util.Set;

/// Everyday words of captions: what every image model knows, and a trigger word had better not be.
final class CommonWords {
    private static final Set<String> WORDS = Set.of("""
            abstract actor actress alien and angel angry animal anime apple arm arms art artwork autumn baby back
            background backpack bad bag ball banana bar bathroom beach bear beautiful bed bedroom bee beer best
            bicycle big bike bird black blue boat body book boot boots bottle bottom bowl boy boys brand bread bridge
            bright brother brown building bus butterfly cake camera cap car cartoon castle cat center chair character
            cheese chicken child children church city classic clock close cloud coat coffee cold color colour come
            comic company computer concept couple cow crown cup cute dad dance dancer dark daughter day demon doctor
            dog doll door dragon drawing dress drink drum dry duck ear earring ears earth eat elephant evening example
            eye eyes face fall family fast father feet figure fire fish floor flower food foot football for foreground
            forest fork fox friend frog from front fruit game garden gentleman get ghost girl girls give glass glasses
            goat gold golden good grass gray green grey guitar gun guy hair hand hands happy hard hat head hero hill
            hold home horse hospital hot hotel house human husband ice icon illustration image jacket jump kid kids
            king kitchen kitten knife knight lady lake lamp landscape large leaf left leg legs lemon life light lion
            little logo long look love make man market mask meat men middle milk model modern mom monkey monster moon
            morning mother mountain mouse mouth music name nature necklace new night nose not nurse object ocean
            office old one orange painting paper park pen people person pet phone photo photograph photographic
            photography piano picture pig pink pizza plane plant plate play portrait poster pretty prince princess
            product puppy purple queen rabbit rain rat realistic red render restaurant right ring river road robot
            rock roof room run sad sand scared scene school sea see selfie sheep ship shirt shoe shoes shop short side
            silver singer sister sit sketch skin sky sleep slow small smile snake sneaker sneakers snow sock sofa soft
            soldier son spider spoon sport spring stand star stone store street student style subject summer sun sword
            table take tall tea teacher temple test that the thing this three tiger time token top tower town toy
            train tree trigger truck turtle two ugly vampire view village villain vintage walk wall warm water wear
            wet wheel white wife window wine winter witch with wizard wolf woman women word work world yellow yes
            young zombie
            """.strip().split("\\s+"));

    private CommonWords() {}

    /// Whether the whole text is such a word, in any case.
    static boolean contains(String text) {
        return WORDS.contains(text.strip().toLowerCase(Locale.ROOT));
    }
}
