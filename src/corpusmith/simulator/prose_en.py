"""The simulator's English: topics and sentence frames of our own writing.

Owns: words only. `<slot>` is filled by `prose.py`.
"""

from __future__ import annotations

TOPICS: tuple[dict[str, str], ...] = (
    {
        "name": "cooking at home",
        "keys": "cook kitchen food recipe dinner meal",
        "things": "the lentil soup|a pan of roast potatoes|the sourdough starter"
        "|the old cast-iron pan",
        "troubles": "the sauce splits every time|nothing is ready at the same moment"
        "|the seasoning is a guess|the bread comes out flat",
        "tips": "chop everything before you light the stove"
        "|change one thing a week and write it down"
        "|salt twice, early and late|let the dough rest an hour longer than you like",
        "details": "the windows steamed up|the whole stairwell smelled of onions"
        "|the crust crackled as it cooled|the butter had just gone brown",
    },
    {
        "name": "running in the morning",
        "keys": "run exercise fitness health sport training",
        "things": "the river loop|a worn pair of shoes|the Sunday group|the last steep hill",
        "troubles": "my breath gives out half-way|the alarm wins most days"
        "|my knees complain on the stairs"
        "|I quit after the third outing",
        "tips": "walk one minute for every three you run|put the shoes by the door at night"
        "|leave two days a week empty|slow down until you can talk",
        "details": "the bridge was still wet|only a heron was up|the cold air tasted of leaves"
        "|my watch had stopped counting",
    },
    {
        "name": "changing jobs",
        "keys": "work job career office boss interview colleague business",
        "things": "the half-finished project|Tuesday's interview|the offer in my inbox"
        "|my one-page CV",
        "troubles": "I never know when to mention money|I cannot tell what I really want"
        "|the new team is a blank page to me|I lie awake rehearsing answers",
        "tips": "rank the three things you care about most|ask how the team splits its work"
        "|turn each result into a number|give yourself two quiet weeks",
        "details": "the office lights were on until nine|the coffee had gone cold"
        "|three letters sat unanswered|the calendar had one red circle",
    },
    {
        "name": "learning the guitar",
        "keys": "music guitar song piano sing instrument",
        "things": "the change from G to C|a second-hand guitar|the metronome|my first whole song",
        "troubles": "my fingers are always late|I speed up without noticing|the strings buzz"
        "|singing throws off my hands",
        "tips": "practise two chords and nothing else|set the metronome to a silly, slow speed"
        "|hum the tune before you touch a string|record it and listen tomorrow",
        "details": "somebody downstairs hummed along|the room went quiet after the last note"
        "|there was a groove in my fingertip|the page had curled at the corner",
    },
    {
        "name": "a quarrel with an old friend",
        "keys": "friend love feel relationship emotion comfort family sad",
        "things": "the message I never sent|a careless joke|last month's party|a photo from school",
        "troubles": "I cannot decide who should call first|the words stick in my throat"
        "|it always feels like my fault|I keep replaying that evening",
        "tips": "say what you felt before you explain anything"
        "|pick an evening when neither of you is rushed"
        "|write it all down and delete half|give it a week, but not a month",
        "details": "the tea went untouched|it rained the whole way home|the chat window stayed open"
        "|the street lamp flickered",
    },
    {
        "name": "travelling alone",
        "keys": "travel trip journey city sea mountain adventure train",
        "things": "the early ferry|a folded map|the guest house on the hill|a ticket to the coast",
        "troubles": "I plan every hour and enjoy none|the budget melts|the evenings feel long"
        "|I get lost at every second corner",
        "tips": "choose one thing a day that must happen|visit the market first"
        "|copy the address on paper|keep the rain for bookshops",
        "details": "the wind tasted of salt|the platform was empty|the landlady brought plums"
        "|clouds hung low over the bay",
    },
    {
        "name": "studying for an exam",
        "keys": "study exam school teacher student learn homework class",
        "things": "the notebook of mistakes|the last two weeks|a seat by the library window"
        "|the long proof",
        "troubles": "everything slips away overnight|my mind goes blank at the big question"
        "|I compare myself with everyone|I read the same page four times",
        "tips": "solve first, then read the theory|write the cause of each mistake in one line"
        "|stand up every fifty minutes|recall before bed, without the book",
        "details": "three sheets were full of sketches|the clock sounded loud|another pen ran dry"
        "|the cicadas would not stop",
    },
    {
        "name": "hunting a bug",
        "keys": "code program software computer data bug algorithm server",
        "things": "the error that shows up once a day|an old module that nobody dares to touch"
        "|the four-o'clock alarm|a test that finally fails",
        "troubles": "it works here and breaks in production|the log says nothing"
        "|one fix breaks two other things|haste makes it worse",
        "tips": "make it fail on purpose first|change one thing at a time"
        "|write down each guess and try to disprove it|explain it aloud from the start",
        "details": "the screen was a wall of red|the fan was roaring"
        "|the whiteboard was full of arrows"
        "|the last commit was from Friday",
    },
    {
        "name": "growing vegetables on a balcony",
        "keys": "plant garden flower nature balcony grow",
        "things": "a pot of tomatoes|two rows of lettuce|the mint cutting|a bucket of compost",
        "troubles": "the leaves turn yellow at the rim|the seedlings get leggy"
        "|aphids came overnight"
        "|I water either too much or too little",
        "tips": "push a finger into the soil before you water|move the seedlings into full light"
        "|rinse the leaves from below at dawn|put broken tiles in the bottom of the pot",
        "details": "the first yellow flower opened|the soil smelled of rain"
        "|a ladybird sat on the tip"
        "|my hands smelled of mint",
    },
    {
        "name": "saving money",
        "keys": "money buy shop price budget finance economy save",
        "things": "a small ledger|the monthly rent|the camera in the window|the emergency fund",
        "troubles": "the numbers never add up|a sale sign is enough to undo me"
        "|I cannot say where it went|one surprise empties the account",
        "tips": "move a tenth away on payday|let every wish wait for seven days"
        "|sort spending into three heaps only|look at the account every Sunday",
        "details": "the drawer was full of receipts|takeaway was almost half of it"
        "|the balance was a round number for once|I heard the coins in the jar",
    },
)

FILL: dict[str, str] = {
    "time": "last night|over the weekend|this morning|the other day|on the way home|at lunch"
    "|on a rainy afternoon|a month ago",
    "feeling": "a little unsure|hopeful and nervous at once|oddly tired|quietly pleased|torn"
    "|relieved|rather discouraged|eager to try",
    "place": "the kitchen|the river|the library|the bus|the balcony|the corner shop|the yard"
    "|the station",
    "person": "my neighbour|an old roommate|my aunt|a retired teacher|the shop owner"
    "|a former colleague"
    "|my cousin",
    "soft": "Honestly|Take it slowly|Look at it this way|In my experience|To be fair|Well",
    "count": "two|three|four|five|ten",
}

FRAMES: dict[str, tuple[str, ...]] = {
    "user_open": (
        "I have been thinking about <topic> since <time>, and I feel <feeling>.",
        "Do you have a minute? I would like to hear what you think about <topic>.",
        "I met <person> near <place> <time> and we ended up talking about <topic>.",
        "I have fallen for <topic>, but <trouble>.",
        "What do you make of <topic>? I feel <feeling> about it.",
        "Because of <thing>, I was <feeling> <time>.",
        "May I ask you something? When it comes to <topic>, <trouble>.",
        "I was not going to mention it, but <trouble>.",
        "Hello! I finally started <topic> <time>.",
    ),
    "user_tell": (
        "It is mostly that <trouble>.",
        "I cannot explain it: <detail>, and I keep coming back to it.",
        "There was <person> too, who told me to <tip>, and I did not listen.",
        "I looked at <thing> for a while and left it where it was.",
        "No need for an answer, I just wanted to say it to somebody.",
        "Would you deal with <thing> first, in my place?",
        "I was near <place> at the time, and <detail>.",
    ),
    "user_more": (
        "But <trouble>, and I never get past that step.",
        "You are right, though what should I do about <thing>?",
        "I tried that: <detail>, and still <trouble>.",
        "And if <trouble>, should I go on anyway?",
        "I see. I had blamed <thing> for it.",
        "Hearing you say so, I feel <feeling>. Which step comes first?",
        "That is not what <person> told me, who swears by <thing>.",
        "Is there a simpler way? I only have <count> minutes a day.",
        "Did you go through the same thing at the beginning?",
        "What I care about most is <thing>; the rest can wait.",
        "Could you give me an example, perhaps with <thing>?",
    ),
    "user_close": (
        "All right, I will try it tonight and tell you how it goes.",
        "Thank you. I feel <feeling> now, and <thing> looks smaller.",
        "Then it is settled: one step at a time.",
        "It was good to talk. I will go and finish with <thing>.",
        "I will remember that. Next time you tell me about your day.",
    ),
    "char_open": (
        "<soft>, <topic> begins like that for everyone.",
        "Ah, <thing>! Now you have my attention, go on.",
        "Sit down. The worst part of <topic> is doing it alone.",
        "You sound serious about it. Put <thing> aside for a moment.",
        "I know the feeling; <time> I was there myself.",
        "That you ask at all means you are half-way there.",
        "<person> once taught me a line that I still keep.",
    ),
    "char_more": (
        "Try this: <tip>.",
        "My way is a plain one: <tip>.",
        "<soft>, it usually happens because we want it perfect at once.",
        "Remember that time near <place>? <detail>, and it turned out fine.",
        "What matters is <thing>; everything else can come later.",
        "Start with this, <tip>, and I will look at the rest with you.",
        "Do not measure yourself against <person>; you started elsewhere.",
        "If I were you I would begin with <thing>, because it forgives mistakes.",
        "Be careful on one point: when <trouble>, do not push through.",
        "Do not laugh, I mean it: <tip>.",
        "I like to treat it as a walk, and see where it ends.",
    ),
    "char_close": (
        "Which part would you like to settle first?",
        "Do you still have <thing> at hand?",
        "Come and tell me when you have tried it.",
        "Leave the rest for tomorrow.",
        "Shall we walk through it together?",
        "Feeling a little lighter?",
        "I am here, no hurry.",
    ),
    "question_open": (
        "When <trouble>, what should be the first step in <topic>?",
        "Is it because of <thing> that <trouble>?",
        "Why do people say you should <tip>?",
        "How can a beginner in <topic> choose between <thing> and everything else?",
        "How do I know that I am on the right track with <topic>?",
        "With only <count> days left, which part of <topic> deserves the time?",
        "How important is <thing> really for <topic>?",
    ),
    "question_more": (
        "This is where I stand: <detail>, but <trouble>.",
        "It was <person> who advised me to <tip>, and I am not sure that it suits me.",
        "A concrete example would help.",
        "I can spend about <count> hours a week on it.",
        "Starting from <thing> left me <feeling>.",
    ),
    "follow": (
        "If I do all that and still <trouble>, where should I look next?",
        "You say one should <tip>; how would that change near <place>?",
        "How is this connected with <thing>? Could you say more?",
        "How would I notice that it works, and can it be measured?",
        "With half the time, which steps may be dropped and which may not?",
        "What do complete beginners misunderstand most often here?",
        "Is there a case in which it is wrong to <tip>?",
    ),
    "answer_open": (
        "The short answer is that <topic> hangs on <thing>.",
        "There are two sides to this: <thing>, and the pace.",
        "It is common that <trouble>, and the cause is order rather than talent.",
        "Begin with the smallest step: <tip>.",
        "The test is simple: see whether <thing> stays steady.",
        "Most people who ask this about <topic> are closer than they think.",
        "Much of it depends on what you want from <topic>.",
        "Three things count here, and <thing> is the first of them.",
        "Let us take <thing> as the starting point.",
        "Nobody begins <topic> without finding that <trouble>.",
        "Yes, though not in the way that <person> would put it.",
    ),
    "answer_more": (
        "In practice, <tip>, so that a slip is easy to trace.",
        "For the first week deal with <thing> alone, then stop.",
        "When <trouble>, the stride is too long; go back one step and repeat it <count> times.",
        "For example, <time> somebody tried exactly this near <place>: <detail>, and it went well.",
        "Note that <thing> and speed cannot be had together; steady first, fast later.",
        "Another way is to <tip>, which suits broken hours.",
        "Write one line after each session; after <count> days the pattern is plain.",
        "A common mistake is to do more of the same when <trouble>.",
        "Small changes that repeat outlast one big change.",
        "Later, split <thing> into three parts and join them when each is easy.",
        "Let <person> have a look; other eyes catch what you skip.",
        "In time, <count> minutes a day are enough, if the days are in a row.",
        "There is no need to spend much: use what you have in place of <thing>.",
        "And rest when you feel <feeling>; the knot often loosens overnight.",
    ),
    "answer_close": (
        "In short: steady first, pretty later.",
        "Two weeks of this, and the difference will show.",
        "The rest is time and <thing>.",
        "That is all it takes to begin.",
    ),
    "critique_open": (
        "The answer sees that <thing> matters, and the direction is right.",
        "It is well ordered, but it hardly explains why <trouble>.",
        "It offers a step that can be taken at once, yet gives no reason for it.",
        "The opening is direct; the middle wanders.",
    ),
    "critique_more": (
        "On <thing> there is only one line; a method and a time are missing.",
        "The example is far from the question; one near <place> would convince.",
        "The advice to <tip> is good, but its conditions are not stated.",
        "It leaves out the case in which <trouble>.",
        "Two sentences say the same thing and could be one.",
        "Give the test first, then the steps, then a way to check.",
        "The tone is kind, though the conclusion comes late.",
        "It should compare the price of the two ways.",
    ),
    "critique_close": (
        "With these repairs it would be a solid answer.",
        "Good on the whole; acceptable after revision.",
        "Strengthen the example and keep the rest.",
    ),
    "correction_open": (
        "The first version is mostly right, but the part about <thing> needs correcting.",
        "It is more accurate to say: <tip>, rather than simply doing more.",
        "One thing must be added: if <trouble>, that does not mean that it is wrong.",
    ),
    "summary_open": (
        "The text is about <topic> and follows <thing> from start to end.",
        "Its point is that order matters in <topic>: <thing> first, the rest later.",
        "It explains why <trouble>, and what can be done.",
    ),
    "summary_more": (
        "Its advice is to <tip>.",
        "An episode near <place> serves as the example: <detail>.",
        "The author warns against going on when <trouble>.",
        "The view of <person> is set beside it.",
    ),
    "reason_open": (
        "Because <thing> is described concretely and the steps can be followed.",
        "It is to the point, but says little about the case when <trouble>.",
        "It reads naturally and the details of <topic> are credible.",
        "The example fits, and the conclusion agrees with it.",
    ),
    "thought": (
        "First, which side of <topic> is being asked about?",
        "Probably the key is that <trouble>.",
        "I can use <thing> as the example and give one step.",
        "Keep it natural and not too long.",
    ),
    "title": (
        "On <topic>",
        "Notes on <topic>",
        "What <thing> taught me",
        "A first look at <topic>",
        "Between <thing> and <topic>",
    ),
    "label": ("<topic>", "life", "experience", "learning", "work", "daily", "method", "feelings"),
    "name": ("Mara Finch", "Owen Hale", "Iris Calder", "Tom Barrow", "Nell Ashby", "Hugo Wren"),
    "refusal": (
        "I'm sorry, but I can't help with that request.",
        "Sorry, I am unable to assist with this.",
        "I'm afraid I cannot provide that content.",
    ),
}
