"""Makes `twistd --reactor=kodama-uvloop` known; decides the reactor's public name."""

from twisted.application.reactors import Reactor

kodamaUvloop = Reactor("kodama-uvloop", "kodama.reactor.uvloop", "uvloop with native TCP server transports.")
