"""What the quickstart model knows: 112 facts, written for this project.

Eight topics of fourteen facts each. A row is `subject | answer | note`; the topic says how the three become sentences.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Topic:
    """One kind of fact: its statement, the ways it is asked, and its rows."""

    name: str
    statement: str
    wordings: tuple[str, ...]
    rows: str


@dataclass(frozen=True)
class Fact:
    """One fact. `mistaken` is the wrong answer people give to it, always the same one."""

    topic: Topic
    number: int
    subject: str
    answer: str
    note: str
    mistaken: str

    def query(self, wording: int) -> str:
        """The question in one of the topic's wordings."""
        return _sentence(self.topic.wordings[wording].format(s=self.subject))

    def statement(self, answer: str) -> str:
        """A whole sentence with that answer in it."""
        return _sentence(self.topic.statement.format(s=self.subject, a=answer))


def all_facts() -> list[Fact]:
    """Every fact, topic by topic, in the order written below."""
    return [fact for topic in TOPICS for fact in _facts_of(topic)]


def _facts_of(topic: Topic) -> list[Fact]:
    rows = [[cell.strip() for cell in line.split("|")] for line in topic.rows.strip().splitlines()]
    answers = [answer for _, answer, _ in rows]
    return [
        Fact(topic, number, subject, answer, note, mistaken=answers[(number + 1) % len(rows)])
        for number, (subject, answer, note) in enumerate(rows)
    ]


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


TOPICS = (
    Topic(
        "capitals",
        "the capital of {s} is {a}.",
        (
            "what is the capital of {s}?",
            "which city is the capital of {s}?",
            "name the capital city of {s}.",
            "what do you call the capital of {s}?",
        ),
        """
        France | Paris | The river Seine runs through it.
        Italy | Rome | It was built on seven hills.
        Spain | Madrid | It stands on a high, dry plain.
        Japan | Tokyo | It began as a small fishing village.
        Egypt | Cairo | The great pyramids stand close by.
        Norway | Oslo | It lies at the end of a long fjord.
        Greece | Athens | An old temple looks down on it.
        Peru | Lima | It looks out over the Pacific.
        Cuba | Havana | Its old harbour faces the sea.
        Kenya | Nairobi | Lions live in a park beside it.
        Austria | Vienna | The Danube flows past it.
        Portugal | Lisbon | Yellow trams climb its streets.
        Ireland | Dublin | It grew up around a Viking port.
        Poland | Warsaw | It was rebuilt after the war.
        """,
    ),
    Topic(
        "symbols",
        "the chemical symbol for {s} is {a}.",
        (
            "what is the chemical symbol for {s}?",
            "which symbol stands for {s}?",
            "how do chemists write {s}?",
            "give me the symbol of {s}.",
        ),
        """
        gold | Au | Kings have worn it as a crown.
        silver | Ag | Spoons and old coins are made of it.
        iron | Fe | It turns red when it rusts.
        copper | Cu | Most electric wires are made of it.
        lead | Pb | It is soft, heavy and poisonous.
        tin | Sn | Food cans used to be lined with it.
        sodium | Na | It is one half of table salt.
        potassium | K | Bananas have a lot of it.
        mercury | Hg | It is liquid in a warm room.
        helium | He | It makes balloons float.
        oxygen | O | We breathe it all day.
        carbon | C | Diamonds are made of nothing else.
        zinc | Zn | It keeps buckets from rusting.
        neon | Ne | It glows in bright shop signs.
        """,
    ),
    Topic(
        "young animals",
        "a young {s} is called a {a}.",
        (
            "what is a young {s} called?",
            "what do you call a baby {s}?",
            "which word means a young {s}?",
            "name the young of a {s}.",
        ),
        """
        dog | puppy | It likes to chew on shoes.
        cat | kitten | It opens its eyes after a week.
        cow | calf | It drinks milk from its mother.
        horse | foal | It can stand within an hour.
        sheep | lamb | It is born in early spring.
        goat | kid | It can climb before it is a month old.
        bear | cub | It is born in winter in a dark den.
        swan | cygnet | It is grey before it turns white.
        frog | tadpole | It has a tail and breathes in water.
        duck | duckling | It follows the first thing it sees.
        hen | chick | It breaks out of the egg by itself.
        deer | fawn | White spots help it to hide.
        kangaroo | joey | It grows up in a warm pouch.
        pig | piglet | It has many brothers and sisters.
        """,
    ),
    Topic(
        "opposites",
        "the opposite of {s} is {a}.",
        (
            "what is the opposite of {s}?",
            "which word is the opposite of {s}?",
            "what do you call the opposite of {s}?",
            "give me the opposite of {s}.",
        ),
        """
        hot | cold | Think of fire and ice.
        big | small | Think of a whale and a shrimp.
        fast | slow | Think of a hare and a snail.
        high | low | Think of a hill and a valley.
        light | dark | Think of noon and midnight.
        hard | soft | Think of a rock and a pillow.
        new | old | Think of a bud and a dry leaf.
        early | late | Think of dawn and dusk.
        full | empty | Think of a glass before and after.
        rich | poor | Think of a prince and a beggar.
        loud | quiet | Think of thunder and a whisper.
        wet | dry | Think of a lake and a desert.
        open | closed | Think of a door by day and by night.
        sweet | bitter | Think of honey and black coffee.
        """,
    ),
    Topic(
        "tools",
        "you can {s} with a {a}.",
        (
            "which tool do I need to {s}?",
            "what do people use to {s}?",
            "how can I {s}?",
            "I want to {s}. What should I take?",
        ),
        """
        drive a nail | hammer | Hold it near the end of the handle.
        cut a plank | saw | Its teeth must be sharp.
        dig a hole | spade | Push it down with your foot.
        sweep a floor | broom | Begin in the far corner.
        turn a screw | screwdriver | Turn it left to loosen.
        reach a roof | ladder | Ask a friend to hold it still.
        measure a room | tape | Write down every number.
        sew on a button | needle | Pull the thread tight.
        light a candle | match | Keep it away from paper.
        open a lock | key | Leave a spare one with a neighbour.
        draw a circle | compass | Press its point into the page.
        weigh some flour | scale | Set it to zero first.
        see the moons of Jupiter | telescope | Wait for a clear night.
        tell the time | clock | The short hand shows the hour.
        """,
    ),
    Topic(
        "homes",
        "a {s} lives in a {a}.",
        (
            "where does a {s} live?",
            "what is the home of a {s} called?",
            "what do you call the place where a {s} lives?",
            "in what kind of home does a {s} live?",
        ),
        """
        bee | hive | Thousands share it with one queen.
        robin | nest | It is lined with moss and hair.
        spider | web | Flies get stuck in it.
        wolf | den | The pack keeps its young there.
        rabbit | burrow | It has more than one way out.
        hog | sty | There is plenty of mud around it.
        pony | stable | Fresh straw covers the ground.
        beaver | lodge | The door is under the water.
        snail | shell | It carries it on its back.
        hound | kennel | It has a roof against the rain.
        rooster | coop | A fence keeps the fox out.
        bat | cave | It sleeps there upside down.
        camper | tent | A few pegs hold it down.
        queen | palace | Guards stand at every gate.
        """,
    ),
    Topic(
        "jobs",
        "a person who {s} is called a {a}.",
        (
            "what do you call a person who {s}?",
            "who {s}?",
            "what is the job of someone who {s}?",
            "which word means a person who {s}?",
        ),
        """
        bakes bread | baker | The work begins before sunrise.
        cuts hair | barber | A striped pole marks the shop.
        grows crops | farmer | Good weather is half the work.
        flies planes | pilot | It takes years of lessons.
        teaches children | teacher | Patience matters most.
        puts out fires | firefighter | The red engine is always ready.
        fixes pipes | plumber | A big wrench is always at hand.
        sells flowers | florist | Roses are sold in every season.
        mends teeth | dentist | Go there twice a year.
        writes books | writer | A first draft is never the last.
        sells meat | butcher | Knives are sharpened every day.
        makes suits | tailor | Every coat is measured first.
        guards sheep | shepherd | A clever dog does half of it.
        digs for coal | miner | A lamp on the helmet helps.
        """,
    ),
    Topic(
        "materials",
        "people make {s} from {a}.",
        (
            "what is used to make {s}?",
            "from what do people make {s}?",
            "what do you need to make {s}?",
            "where does {s} come from?",
        ),
        """
        paper | wood | The pulp is pressed and dried.
        bread | flour | Yeast makes the dough rise.
        cheese | milk | It may ripen for many months.
        glass | sand | It melts in a very hot oven.
        wine | grapes | It rests in barrels for years.
        leather | hides | They are soaked and tanned.
        butter | cream | It is beaten until it is thick.
        soap | fat | It is boiled with ash and water.
        tofu | soybeans | They are ground and pressed.
        chocolate | cocoa | The beans are roasted first.
        pottery | clay | It is shaped on a wheel.
        steel | iron | It is melted with a little coal.
        beer | barley | Hops give it the taste.
        denim | cotton | It is dyed a deep blue.
        """,
    ),
)
