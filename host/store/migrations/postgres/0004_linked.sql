-- Under which login name the backend knows a directory user whom it linked to somebody of its own, so that it can be asked again.
ALTER TABLE refresh_token ADD COLUMN linked_as text;
