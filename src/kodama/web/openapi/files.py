"""Files described."""

from __future__ import annotations

from typing import Final

from kodama.web.openapi.parameters import ROOM
from kodama.web.openapi.shape import SIGNED_IN, Content, Operation, Parameter, Reply
from kodama.wire import files

_FILE: Final = Parameter(
    name="file",
    place="path",
    text="The file's id.",
    example="AAAAAAAAAAAAAAAAAAAAAA",
    schema={"type": "string", "minLength": 1, "pattern": "^[^/]+$"},
)
_FILE_NAME: Final = Parameter(
    name="label",
    place="path",
    text="Any name: the file is found by its id.",
    example="cat.png",
    schema={"type": "string", "minLength": 1, "pattern": "^[^/]+$"},
)
_NAME: Final = Parameter(
    name="name",
    text="The file's name, if it is sent whole.",
    schema={"type": "string"},
    example="cat.png",
)
_BYTES: Final = Content(media="application/octet-stream", schema={"type": "string", "format": "binary"})
_PIECE: Final = Content(
    media="application/offset+octet-stream", schema={"type": "string", "format": "binary"}
)
_SHOWN: Final = (Content(shape=files.File),)
_CODES: Final = ("forbidden", "not_found", "overloaded")

OPERATIONS: Final = (
    Operation(
        method="POST",
        path="/v1/rooms/{room}/files",
        name="beginFile",
        tag="Files",
        title="Put a file into a room",
        text="As in tus 1.0 (creation): `Upload-Length` and `Upload-Metadata` with a `filename` announce a"
        " file, whose pieces follow by `PATCH` to `Location`. Or, with `name`, the body is the whole of a"
        ' message shows files by `data`: `{"files":[{"file":id}]}`; they go when it is deleted.',
        parameters=(ROOM, _NAME),
        security=SIGNED_IN,
        body=(_BYTES,),
        replies=(Reply(status=201, text="Its address is in `Location`.", content=_SHOWN),),
        codes=("bad_room_name", "rate_limited", *_CODES),
    ),
    Operation(
        method="GET",
        path="/v1/files/{file}",
        name="file",
        tag="Files",
        title="Ask how much of a file is there",
        text="`HEAD` does, too: `Upload-Offset` says where the next piece begins.",
        parameters=(_FILE,),
        replies=(Reply(status=200, text="What it is.", content=_SHOWN),),
        codes=_CODES,
    ),
    Operation(
        method="PATCH",
        path="/v1/files/{file}",
        name="addToFile",
        tag="Files",
        title="Send the next piece",
        text="From `Upload-Offset` on, which must be where the file ends: else 409, and `HEAD` says where"
        " that is. With the last piece the file is whole: what a picture tells of its maker is cut out.",
        parameters=(_FILE,),
        security=SIGNED_IN,
        body=(_PIECE,),
        replies=(Reply(status=204, text="`Upload-Offset` says where the next one begins."),),
        codes=("conflict", "unsupported_media", *_CODES),
    ),
    Operation(
        method="DELETE",
        path="/v1/files/{file}",
        name="removeFile",
        tag="Files",
        title="Remove a file",
        text="For whoever put it there, and for moderators.",
        parameters=(_FILE,),
        security=SIGNED_IN,
        replies=(Reply(status=204, text="Done."),),
        codes=("rate_limited", *_CODES),
    ),
    Operation(
        method="GET",
        path="/files/{file}/{label}",
        name="fetchFile",
        tag="Files",
        title="Fetch a file",
        text="For readers of its room. Pictures (PNG, JPEG, GIF, WebP) are shown, all else is to be saved.",
        parameters=(_FILE, _FILE_NAME),
        replies=(Reply(status=200, text="The file.", content=(_BYTES,)),),
        codes=_CODES,
    ),
)
