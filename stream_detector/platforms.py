"""The well-known lodging platforms: the default of the policy's own names and domains."""

from __future__ import annotations

from typing import Final

#: Names by which hosts and guests call the platforms. In the text that the model reads each becomes one neutral word,
#: so that a model knows "message me on the platform" and not whose platform it is.
DEFAULT_PLATFORM_NAMES: Final = (
    "Airbnb", "Air BnB", "爱彼迎", "에어비앤비", "Vrbo", "Booking.com", "HomeAway", "Expedia", "Hotels.com", "Agoda", "Tripadvisor",
    "Abritel", "FeWo-direkt", "Stayz", "Bookabach", "FlipKey", "Holidu", "HomeToGo", "HouseTrip", "Hostelworld", "Trip.com",
    "Ctrip", "携程", "途家", "Traveloka", "MakeMyTrip", "Despegar", "Decolar", "Wimdu", "9flats", "Atraveo", "e-domizil",
    "Interhome", "Belvilla", "OneFineStay", "Plum Guide", "Misterb&b", "楽天トラベル", "じゃらん", "야놀자", "여기어때",
)  # fmt: skip

DEFAULT_PLATFORM_DOMAINS: Final = (
    "airbnb.com", "airbnb.co.uk", "airbnb.com.au", "airbnb.co.nz", "airbnb.ie", "airbnb.ca", "airbnb.de", "airbnb.at",
    "airbnb.ch", "airbnb.fr", "airbnb.be", "airbnb.lu", "airbnb.nl", "airbnb.es", "airbnb.it", "airbnb.pt", "airbnb.com.br",
    "airbnb.gr", "airbnb.pl", "airbnb.cz", "airbnb.hu", "airbnb.ru", "airbnb.se", "airbnb.no", "airbnb.dk", "airbnb.fi",
    "airbnb.jp", "airbnb.co.kr", "airbnb.cn", "airbnb.com.tw", "airbnb.com.tr", "airbnb.ae", "airbnb.mx", "airbnb.com.ar",
    "airbnb.co.in", "airbnb.com.sg", "abnb.me", "vrbo.com", "booking.com", "homeaway.com", "homeaway.co.uk", "expedia.com",
    "expedia.co.uk", "expedia.de", "expedia.fr", "hotels.com", "agoda.com", "tripadvisor.com", "tripadvisor.co.uk",
    "flipkey.com", "abritel.fr", "fewo-direkt.de", "stayz.com.au", "bookabach.co.nz", "holidu.com", "hometogo.com", "trip.com",
    "ctrip.com", "tujia.com", "traveloka.com", "makemytrip.com", "hostelworld.com", "interhome.com", "belvilla.com",
    "onefinestay.com", "plumguide.com",
)  # fmt: skip
