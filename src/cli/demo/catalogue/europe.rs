//! The European cities of the catalogue: Lisbon, Edinburgh and Helsinki.

use super::{City, Listing, Policy};

/// Lisbon, Portugal: 6 listings.
pub(super) const LISBON: City = City {
    name: "Lisbon",
    country: "Portugal",
    time_zone: "Europe/Lisbon",
    hosts: &["Mariana Figueiredo", "Rui Caldeira"],
    listings: &[
        Listing {
            title: "Tiled two-bedroom flat below the castle walls",
            description: "A second-floor flat on a stepped lane in Alfama, with blue and white \
                tiles in the hall and a double bed in each room. The kitchen has a gas hob, a \
                moka pot and a table for four by the window. The tram stop is four minutes \
                uphill; the last stretch from any taxi is on foot, so travel light.",
            area: "Alfama",
            latitude: 38.7113,
            longitude: -9.1288,
            price_per_night: 118,
            cleaning_fee: 45,
            max_guests: 4,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "air_conditioning",
                "heating",
                "crib",
            ],
            instant_book: true,
            policy: Policy::Flexible,
        },
        Listing {
            title: "Attic studio with a writing desk near the garden square",
            description: "A bright studio under the roof of a nineteenth-century townhouse, three \
                streets from the big cedar in the square. There is a long desk facing the \
                skylight, a small oven and a proper double bed. The ceiling slopes, so tall \
                guests should mind the beam by the shower.",
            area: "Príncipe Real",
            latitude: 38.7153,
            longitude: -9.1497,
            price_per_night: 96,
            cleaning_fee: 35,
            max_guests: 2,
            amenities: &["wifi", "kitchen", "air_conditioning", "workspace"],
            instant_book: true,
            policy: Policy::Moderate,
        },
        Listing {
            title: "Family flat with a terrace over the river rooftops",
            description: "Three bedrooms and a tiled terrace that looks across the rooftops to \
                the Tagus. There is a cot, a high chair and a box of picture books in the smaller \
                bedroom. The viewpoint and its kiosk are two minutes away, and the supermarket is \
                on the corner.",
            area: "Graça",
            latitude: 38.7168,
            longitude: -9.1308,
            price_per_night: 164,
            cleaning_fee: 60,
            max_guests: 6,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "air_conditioning",
                "heating",
                "balcony",
                "crib",
            ],
            instant_book: true,
            policy: Policy::Strict,
        },
        Listing {
            title: "Quiet ground-floor flat beside the covered market",
            description: "Level access from the street, wide doors and a walk-in shower make this \
                flat easy to get around. The bedroom faces a courtyard with a lemon tree, and the \
                covered market with its food counters is across the road. Tram 28 ends its run a \
                few minutes away.",
            area: "Campo de Ourique",
            latitude: 38.7178,
            longitude: -9.1663,
            price_per_night: 104,
            cleaning_fee: 40,
            max_guests: 3,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "heating",
                "garden",
                "step_free",
            ],
            instant_book: true,
            policy: Policy::Moderate,
        },
        Listing {
            title: "Riverside house with a small patio and two bicycles",
            description: "A narrow two-storey house five minutes from the riverside cycle path, \
                with two bicycles for guests to use. Breakfast things for the first morning are \
                in the fridge, and the patio has a grill and a fig tree for shade. Trains to the \
                centre take about ten minutes.",
            area: "Belém",
            latitude: 38.6977,
            longitude: -9.2032,
            price_per_night: 142,
            cleaning_fee: 55,
            max_guests: 5,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "heating",
                "garden",
                "bicycle",
                "barbecue",
                "breakfast",
                "pets_allowed",
            ],
            instant_book: false,
            policy: Policy::Moderate,
        },
        Listing {
            title: "Converted warehouse loft among the breweries",
            description: "A single large room with five-metre ceilings, a mezzanine bed and a \
                sofa that opens for two more. Polished concrete floor, a long kitchen counter and \
                a lift from the street. The lane is quiet on weekdays and lively on Friday and \
                Saturday evenings until about eleven.",
            area: "Marvila",
            latitude: 38.7390,
            longitude: -9.1038,
            price_per_night: 128,
            cleaning_fee: 50,
            max_guests: 4,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "air_conditioning",
                "elevator",
                "workspace",
                "parking",
            ],
            instant_book: false,
            policy: Policy::Strict,
        },
    ],
};

/// Edinburgh, United Kingdom: 6 listings.
pub(super) const EDINBURGH: City = City {
    name: "Edinburgh",
    country: "United Kingdom",
    time_zone: "Europe/London",
    hosts: &["Fiona Abernethy", "Callum Drysdale"],
    listings: &[
        Listing {
            title: "Garden flat a short walk from the Sunday market",
            description: "A lower-ground-floor flat with its own front door and a walled garden \
                that gets the sun after lunch. The bedroom has a king-size bed and wooden \
                shutters; the sofa in the sitting room sleeps a third guest. The Water of Leith \
                path starts at the end of the street.",
            area: "Stockbridge",
            latitude: 55.9586,
            longitude: -3.2094,
            price_per_night: 158,
            cleaning_fee: 50,
            max_guests: 3,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "heating",
                "garden",
                "fireplace",
            ],
            instant_book: false,
            policy: Policy::Moderate,
        },
        Listing {
            title: "Harbour-side one-bedroom with a view of the Shore",
            description: "The living room window looks over the cobbles and the moored boats, and \
                the tram to the centre stops four minutes away. The bed is a firm double and the \
                kitchen has everything for a proper dinner, including sharp knives. There is a \
                lift to all floors.",
            area: "Leith",
            latitude: 55.9757,
            longitude: -3.1702,
            price_per_night: 132,
            cleaning_fee: 45,
            max_guests: 2,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "heating",
                "elevator",
                "workspace",
                "step_free",
            ],
            instant_book: true,
            policy: Policy::Flexible,
        },
        Listing {
            title: "Top-floor tenement with bay windows over the Meadows",
            description: "Three large bedrooms, high cornices and a bay window where you can see \
                the hill and the park at once. It is sixty-eight steps up with no lift, and the \
                stair is shared with neighbours who like it quiet after ten. The kitchen table \
                seats six.",
            area: "Marchmont",
            latitude: 55.9377,
            longitude: -3.1943,
            price_per_night: 196,
            cleaning_fee: 70,
            max_guests: 6,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "heating",
                "workspace",
                "fireplace",
            ],
            instant_book: true,
            policy: Policy::Strict,
        },
        Listing {
            title: "Beach flat on the promenade with a sea-facing window seat",
            description: "Step out of the main door and you are on the promenade; the window seat \
                looks straight across the Firth. There is a rail for wet swimming things and an \
                outdoor tap for dogs and sandy feet. Buses to the centre run every ten minutes \
                and take about twenty-five.",
            area: "Portobello",
            latitude: 55.9541,
            longitude: -3.1112,
            price_per_night: 149,
            cleaning_fee: 50,
            max_guests: 4,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "heating",
                "sea_view",
                "pets_allowed",
                "crib",
            ],
            instant_book: true,
            policy: Policy::Moderate,
        },
        Listing {
            title: "Stone-walled studio in a close off the High Street",
            description: "A compact studio in a seventeenth-century building, with bare stone on \
                one wall and a deep window sill for reading. The close is well lit and the door \
                is on the first landing. Expect some footsteps and music during the August \
                festivals.",
            area: "Old Town",
            latitude: 55.9497,
            longitude: -3.1897,
            price_per_night: 124,
            cleaning_fee: 40,
            max_guests: 2,
            amenities: &["wifi", "kitchen", "heating"],
            instant_book: false,
            policy: Policy::Strict,
        },
        Listing {
            title: "Mill cottage by the river with a wood stove",
            description: "A former mill worker's cottage on two floors, with the sound of the \
                river from both bedrooms. The wood stove heats the whole sitting room and a \
                basket of logs is provided. The West End shops are ten minutes' walk, uphill on \
                the way back.",
            area: "Dean Village",
            latitude: 55.9521,
            longitude: -3.2178,
            price_per_night: 212,
            cleaning_fee: 65,
            max_guests: 4,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "heating",
                "fireplace",
                "parking",
                "bicycle",
            ],
            instant_book: false,
            policy: Policy::Moderate,
        },
    ],
};

/// Helsinki, Finland: 6 listings.
pub(super) const HELSINKI: City = City {
    name: "Helsinki",
    country: "Finland",
    time_zone: "Europe/Helsinki",
    hosts: &["Aino Kettunen", "Mikael Sundqvist"],
    listings: &[
        Listing {
            title: "Sunny one-bedroom near the old market hall",
            description: "A fourth-floor flat in a 1930s block with a lift, pale wooden floors \
                and blackout blinds for the summer nights. The residents' sauna in the basement \
                is reserved for guests on Thursday evenings. The metro and three tram lines are \
                within five minutes.",
            area: "Kallio",
            latitude: 60.1806,
            longitude: 24.9508,
            price_per_night: 112,
            cleaning_fee: 40,
            max_guests: 2,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "heating",
                "elevator",
                "sauna",
                "workspace",
            ],
            instant_book: true,
            policy: Policy::Flexible,
        },
        Listing {
            title: "Design-district flat with a long oak table",
            description: "Two bedrooms around a bright central room where the oak table seats \
                eight. Shelves of art and architecture books, a dishwasher and a good set of pans \
                make it easy to stay in. The sea is eight minutes' walk to the south, past small \
                shops and workshops.",
            area: "Punavuori",
            latitude: 60.1612,
            longitude: 24.9371,
            price_per_night: 174,
            cleaning_fee: 60,
            max_guests: 4,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "heating",
                "elevator",
                "workspace",
                "crib",
            ],
            instant_book: true,
            policy: Policy::Moderate,
        },
        Listing {
            title: "Quiet studio on a cobbled street by the cathedral",
            description: "A small studio facing an inner courtyard, so the only sound in the \
                morning is the bicycle shed. It has a bed of 140 centimetres, a two-ring hob and \
                a full-size fridge. The cathedral steps and the harbour ferries are six minutes \
                on foot.",
            area: "Kruununhaka",
            latitude: 60.1726,
            longitude: 24.9563,
            price_per_night: 98,
            cleaning_fee: 35,
            max_guests: 2,
            amenities: &["wifi", "kitchen", "heating", "elevator"],
            instant_book: true,
            policy: Policy::Moderate,
        },
        Listing {
            title: "Family home near the bay with a private sauna",
            description: "A three-bedroom flat in a functionalist building, with an electric \
                sauna off the bathroom and a glazed balcony to cool down on. A cot, bunk beds and \
                a toy box are in the children's room. The bay path for running and pushing prams \
                is at the end of the road.",
            area: "Töölö",
            latitude: 60.1789,
            longitude: 24.9221,
            price_per_night: 228,
            cleaning_fee: 75,
            max_guests: 6,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "heating",
                "elevator",
                "sauna",
                "balcony",
                "crib",
                "step_free",
            ],
            instant_book: false,
            policy: Policy::Strict,
        },
        Listing {
            title: "Island flat with a glazed balcony and sea view",
            description: "From the sofa you see sailing boats in summer and the frozen bay in \
                winter. The flat has one bedroom and a sofa bed, its own parking space with a \
                heater plug, and two bicycles in the cellar. The metro reaches the central \
                station in seven minutes.",
            area: "Lauttasaari",
            latitude: 60.1592,
            longitude: 24.8793,
            price_per_night: 136,
            cleaning_fee: 45,
            max_guests: 3,
            amenities: &[
                "wifi", "kitchen", "washer", "heating", "balcony", "sea_view", "parking",
                "bicycle", "sauna",
            ],
            instant_book: true,
            policy: Policy::Moderate,
        },
        Listing {
            title: "Half of a wooden house with an apple garden",
            description: "The upstairs half of a red wooden house from the 1920s, with sloping \
                ceilings and a tiled stove that still works. Guests share the garden with the \
                family below and may pick apples in September. The tram to the centre takes about \
                twenty minutes.",
            area: "Käpylä",
            latitude: 60.2131,
            longitude: 24.9532,
            price_per_night: 126,
            cleaning_fee: 45,
            max_guests: 4,
            amenities: &[
                "wifi",
                "kitchen",
                "washer",
                "heating",
                "fireplace",
                "garden",
                "barbecue",
                "pets_allowed",
                "parking",
            ],
            instant_book: false,
            policy: Policy::Flexible,
        },
    ],
};
