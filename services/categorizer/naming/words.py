"""Closed classes of English, and the open-class words that say nothing as part of a name. All in lower case."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


DETERMINERS = _words(
    """a an the this that these those my your his her its our their some any each every all both another no one two
    three four five several many much enough such few more most other which what whose following given
    same certain own"""
)
PRONOUNS = _words(
    """i you he she it we they me him us them myself yourself itself himself herself themselves someone anyone
    everyone something anything everything nothing who whom there here one's mine yours"""
)
AUXILIARIES = _words(
    """be am is are was were been being do does did have has had having will would can could shall should may might
    must i'm i'd i've i'll it's that's don't can't doesn't didn't isn't wasn't won't hasn't haven't wouldn't couldn't
    cannot
    didnt doesnt wont isnt havent hasnt what's how's where's there's you're they're let's im dont cant ive id whats
    hows"""
)
PREPOSITIONS = _words(  # and conjunctions, particles, exclamations: whatever ends a noun phrase
    """of in on at for from to with by about into through between during after before under over against within
    without across via per toward towards among as than upon around onto if then because since while when where how
    why that and or but so not also just only really very please too now still again already ever never maybe yes hi
    hello hey thanks thank ok okay oh well sure sorry etc however given using based"""
)
ORDINALS = _words("next last previous final latest current same main only nearest closest")
LINKS = _words("of in on for from to with by about into between")  # between two nouns of a name
NOUN_LINKS = _words("of in for from with")
PARTICLES = _words("up out off down back")
VERB_LINKS = _words("for with to into from about on in at")

NEGATIVE = _words("cannot dont cant didnt doesnt wont isnt havent hasnt")  # as typed
ASKING = _words("do does did will would can could should shall")  # they ask for a verb behind the subject
# After these a word that can be a verb is one: "to cancel", "please cancel", "can you cancel".
BEFORE_VERBS = _words(
    "to please don't not let's me can could will would should must help can't cannot just i'd i you we they"
)

LIGHT_VERBS = _words(  # they say that something is asked, not what
    """want need like would love try help know let hope wonder think guess tell ask understand thank appreciate mean
    wish assume consider suppose believe look say seem happen please be have do go come proceed provide ensure note
    remember keep require confirm share include start wait feel contain follow act assist answer put response respond
    live could specify state end stay prefer expect begin continue mention suggest regard"""
)
WEAK_VERBS = _words("get make use take give see find show work set")  # only with a telling object
DULL_NOUNS = _words(
    """inch foot mile dollar percent degree meter cm square task solution output format input problem situation
    couple rest thing way one lot kind sort bit time today tomorrow yesterday day week month year hour minute moment
    morning evening monday tuesday wednesday thursday friday saturday sunday january february march april may june
    july august september october november december am pm help question issue answer example following step part
    person man woman guy reason fact case point id detail anyone assistance user assistant thanks hello context hand
    end side sure thought execute observation apology please lol let idea sense chance need word place something
    thank regard hi option work give show use euro euros pound statement sentence line item_id choice letter"""
)
QUANTITIES = _words("couple bunch pair list kind type sort lot variety set number copy piece series")
MEASURING = _words("list set number type series piece")  # of these, the ones that can be the point themselves
MASS_NOUNS = _words(
    """code economy class business food text money cash access data music news research work advice software css html
    sql information luggage baggage insurance weather traffic writing compensation
    assistance feedback support equipment furniture homework mail transportation knowledge progress health content"""
)
PLURAL_MODIFIERS = _words("sales sports savings news data systems goods customs graphics physics mathematics economics")
LANGUAGES = _words(  # written with a capital, yet no proper nouns of somebody's
    "python java javascript sql html css english spanish german french chinese japanese excel internet windows linux"
)
_CASED = """Python Java JavaScript TypeScript SQL CSS HTML PHP Rust Docker Linux Windows PyTorch NumPy Bash React LaTeX
    Kubernetes Git GitHub Android iPhone iOS Slack Excel AWS GPU CPU API PDF CSV JSON XML SSH DNS VPN URL IP UI AI SEO
    ERP CRM USB Bluetooth Wi-Fi ID VIP PIN ATM TV USD APR W-2 HR PTO MPG English Spanish French German Chinese Japanese
    Italian Russian Christmas"""
CASING = {word.lower(): word for word in _CASED.split()} | {"wifi": "Wi-Fi"}  # of what people write in lower case
