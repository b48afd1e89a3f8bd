//! Review comments that suit a stay in any city.

use super::Opinion;

/// Ratings from 2 to 5, mostly 4 and 5, each with its comment.
pub(super) const ALL: &[Opinion] = &[
    Opinion {
        rating: 5,
        text: "Check-in took two minutes and the directions to the door were exact. We would stay \
            here again without a second thought.",
    },
    Opinion {
        rating: 5,
        text: "The bed was one of the best we have slept in away from home, and the room was \
            properly dark at night.",
    },
    Opinion {
        rating: 5,
        text: "Our host answered every question within minutes and left a handwritten list of \
            places to eat. Three of them became our favourites.",
    },
    Opinion {
        rating: 5,
        text: "Spotless from corner to corner. Even the inside of the oven was clean.",
    },
    Opinion {
        rating: 4,
        text: "Lovely place and very well equipped. The only small thing was the shower, which \
            takes a while to run hot.",
    },
    Opinion {
        rating: 5,
        text: "We cooked almost every evening, because the kitchen has real pans and sharp \
            knives. That is rarer than it should be.",
    },
    Opinion {
        rating: 4,
        text: "Good location and a friendly welcome. You do hear the street in the morning, but \
            the earplugs provided worked fine.",
    },
    Opinion {
        rating: 3,
        text: "The place itself is pleasant, but the photos make the living room look larger than \
            it is.",
    },
    Opinion {
        rating: 5,
        text: "The view in the early morning was worth the trip. We had our coffee by the window \
            every day.",
    },
    Opinion {
        rating: 5,
        text: "Everything was as described, down to the number of towels. Thank you for being so \
            precise.",
    },
    Opinion {
        rating: 4,
        text: "Comfortable beds and plenty of blankets. A second bedside lamp would have been \
            nice.",
    },
    Opinion {
        rating: 5,
        text: "We arrived very late because of a delayed flight, and the host still made sure we \
            could get in easily.",
    },
    Opinion {
        rating: 4,
        text: "Very quiet at night and close to shops. The wifi was a little slow in the bedroom \
            but fine in the main room.",
    },
    Opinion {
        rating: 2,
        text: "The neighbours were having work done and the drilling began at eight. We would \
            have liked to know before booking.",
    },
    Opinion {
        rating: 5,
        text: "A calm, thoughtful place with books worth reading and good lamps to read them by.",
    },
    Opinion {
        rating: 5,
        text: "I worked from here for part of the stay and the connection never dropped. The \
            chair was comfortable too.",
    },
    Opinion {
        rating: 4,
        text: "Great value for the area. The bathroom could do with another shelf, but everything \
            works.",
    },
    Opinion {
        rating: 5,
        text: "The little things made the difference: fresh bread on the table, milk in the \
            fridge, an umbrella by the door.",
    },
    Opinion {
        rating: 3,
        text: "Nice host, good location. The mattress was too soft for us and we slept badly on \
            the first night.",
    },
    Opinion {
        rating: 5,
        text: "Felt like staying with a friend who happens to be away. The notes in the house \
            book were funny and useful.",
    },
    Opinion {
        rating: 4,
        text: "We liked the neighbourhood a great deal, with bakeries and cafés where people \
            actually live. Public transport was easy.",
    },
    Opinion {
        rating: 5,
        text: "Clean, warm and quiet. Nothing more to ask for.",
    },
    Opinion {
        rating: 4,
        text: "Check-in was smooth with the key box, though the code arrived only an hour before. \
            All good in the end.",
    },
    Opinion {
        rating: 5,
        text: "My parents are not used to renting online and they were looked after from start to \
            finish. They are already planning to return.",
    },
    Opinion {
        rating: 5,
        text: "The photographs do not do justice to the light in the afternoon.",
    },
    Opinion {
        rating: 3,
        text: "Fine for a short stay. The kitchen is missing some basics, such as a colander and \
            a decent chopping board.",
    },
    Opinion {
        rating: 4,
        text: "A well-kept place with character. Mind the corner of the bed frame; I did not, \
            twice.",
    },
    Opinion {
        rating: 5,
        text: "The host met us at the door, showed us how everything works and was gone in five \
            minutes. Just right.",
    },
    Opinion {
        rating: 5,
        text: "We have stayed in this part of the city several times and this was the best place \
            so far.",
    },
    Opinion {
        rating: 4,
        text: "Plenty of room for our bags and a good table to eat at. The curtains let in some \
            light, so bring a sleep mask if you are sensitive.",
    },
    Opinion {
        rating: 5,
        text: "Very good shower, very good coffee, very good advice about where to walk.",
    },
    Opinion {
        rating: 2,
        text: "The place smelled of damp when we arrived and the windows had to stay open for a \
            day. The host was polite about it but could not fix it during our stay.",
    },
    Opinion {
        rating: 4,
        text: "Really nice stay. There was some noise from a bar at the weekend, but it stopped \
            at a reasonable hour.",
    },
    Opinion {
        rating: 5,
        text: "One of the lamps broke on our first evening and a new one was there the next \
            morning. Excellent host.",
    },
    Opinion {
        rating: 5,
        text: "Soft sheets, thick towels and enough hangers. Somebody thought about what guests \
            need.",
    },
    Opinion {
        rating: 4,
        text: "The directions could be clearer for people arriving in the dark. Once inside, we \
            had no complaints.",
    },
    Opinion {
        rating: 5,
        text: "It was easy to leave early on the last day, with no list of chores, and our bags \
            could stay until the evening.",
    },
    Opinion {
        rating: 3,
        text: "The location is hard to beat, but so was the noise from the street on Saturday \
            night. Light sleepers should think twice.",
    },
    Opinion {
        rating: 5,
        text: "We came for a family occasion and it was a relief to come back here each night. \
            Peaceful and comfortable.",
    },
    Opinion {
        rating: 4,
        text: "Charming and clean, with a kitchen you can really use. The fridge is on the small \
            side for a longer stay.",
    },
    Opinion {
        rating: 5,
        text: "Better in person than in the pictures. The colours and the furniture go together \
            without looking arranged.",
    },
    Opinion {
        rating: 5,
        text: "The host suggested a walk that was not in our guidebook and it became the best day \
            of the holiday.",
    },
    Opinion {
        rating: 4,
        text: "A good base for seeing the city on foot. We would have liked one more power socket \
            near the bed.",
    },
    Opinion {
        rating: 5,
        text: "Quiet enough to hear birds in the morning, and yet everything we wanted was a \
            short walk away.",
    },
    Opinion {
        rating: 3,
        text: "Check-in was an hour later than agreed and nobody told us. The rest of the stay \
            was fine, and the host did apologise.",
    },
    Opinion {
        rating: 5,
        text: "Perfectly clean, and the instructions for the hob were better than those for mine \
            at home.",
    },
    Opinion {
        rating: 4,
        text: "Comfortable and honest. What you see is what you get, at a fair price.",
    },
    Opinion {
        rating: 5,
        text: "We felt safe coming home late, as the entrance is well lit and the lock is easy to \
            use.",
    },
    Opinion {
        rating: 4,
        text: "The sofa in the main room became our favourite spot. Water pressure was a bit weak \
            on some mornings.",
    },
    Opinion {
        rating: 5,
        text: "I booked for the location and would come back for the bed.",
    },
    Opinion {
        rating: 5,
        text: "Great communication before, during and after our stay. The host even posted back a \
            scarf we had left behind.",
    },
    Opinion {
        rating: 4,
        text: "Good taste without being fussy. There were a few more ornaments than shelf space, \
            but that is a small complaint.",
    },
    Opinion {
        rating: 2,
        text: "The hot water failed one evening and it took until the next day to get an answer. \
            A shame, because the place is pretty.",
    },
    Opinion {
        rating: 5,
        text: "The kitchen had spices, oil and good coffee, so we could cook on the first evening \
            without going shopping.",
    },
    Opinion {
        rating: 4,
        text: "Lovely welcome and tidy rooms. Bins are collected early on the street side, so \
            expect a clatter at about six.",
    },
    Opinion {
        rating: 5,
        text: "We will remember the evenings with the windows open, listening to the city going \
            quiet.",
    },
    Opinion {
        rating: 3,
        text: "Clean and central, but a little tired: a loose handle, a chipped tile, a wobbly \
            chair. Some care would make it much better.",
    },
    Opinion {
        rating: 5,
        text: "Simple, tasteful and exactly what we needed after a long journey.",
    },
    Opinion {
        rating: 4,
        text: "The bed is firm, which we like, and the pillows come in two sorts. The desk lamp \
            needed a new bulb.",
    },
    Opinion {
        rating: 5,
        text: "From the first message to the last, everything was clear and kind. A model of how \
            hosting should be.",
    },
    Opinion {
        rating: 5,
        text: "We moved our arrival by a day at short notice and the host sorted it out without \
            any fuss.",
    },
    Opinion {
        rating: 4,
        text: "Plenty of daylight and good air. The last few minutes on foot with our bags were \
            harder than we had expected.",
    },
    Opinion {
        rating: 5,
        text: "The rooms stay quiet even with the windows open at night. We slept until nine, \
            which never happens.",
    },
    Opinion {
        rating: 3,
        text: "The host was helpful, but the wifi dropped often and I had to take calls in a café.",
    },
    Opinion {
        rating: 4,
        text: "Everything we needed for cooking was there. A clothes rack would be a useful \
            addition.",
    },
    Opinion {
        rating: 5,
        text: "Wonderful place to read, cook and do very little. We extended our trip because of \
            it.",
    },
    Opinion {
        rating: 4,
        text: "Arrival was easy and the neighbours said hello. Some furniture is older than it \
            looks in the photos, though solid.",
    },
    Opinion {
        rating: 5,
        text: "Warm welcome, cold water in the fridge and a map with pencil marks. We were at \
            home in ten minutes.",
    },
    Opinion {
        rating: 2,
        text: "The second bed turned out to be a thin folding mattress, which the listing did not \
            make clear. The room and the location were otherwise decent.",
    },
    Opinion {
        rating: 5,
        text: "This was my fourth booking in the city and the first I have recommended to \
            colleagues.",
    },
    Opinion {
        rating: 4,
        text: "We enjoyed our stay and would book again outside the busiest season, when the \
            street is calmer.",
    },
    Opinion {
        rating: 5,
        text: "The bathroom was spotless, the rooms were light and there was enough hot water for \
            everyone.",
    },
];
